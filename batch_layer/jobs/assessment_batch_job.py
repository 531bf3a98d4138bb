"""The assessment job alone: what is handed in and graded, by whom, and how quizzes go.

    spark-submit batch_layer/jobs/assessment_batch_job.py INPUT OUTPUT [--full]

`--help` prints what it computes.
"""

import sys

from batch_layer.job import Job
from catalogue.views.assessment import ROLLUPS, TOPIC, VIEWS

JOB = Job("assessment", topics=(TOPIC,), rollups=ROLLUPS, views=VIEWS)

if __name__ == "__main__":
    sys.exit(JOB.main(sys.argv[1:]))
