"""The auth job alone: who is active, when people log in, how long their sessions are, who signs up.

    spark-submit batch_layer/jobs/auth_batch_job.py INPUT OUTPUT [--full]

`--help` prints what it computes.
"""

import sys

from batch_layer.job import Job
from catalogue.views.auth import ROLLUPS, TOPIC, VIEWS

JOB = Job("auth", topics=(TOPIC,), rollups=ROLLUPS, views=VIEWS)

if __name__ == "__main__":
    sys.exit(JOB.main(sys.argv[1:]))
