"""The video job alone: who watches what for how long, and where people leave.

    spark-submit batch_layer/jobs/video_batch_job.py INPUT OUTPUT [--full]

`--help` prints what it computes.
"""

import sys

from batch_layer.job import Job
from catalogue.views.video import ROLLUPS, TOPIC, VIEWS

JOB = Job("video", topics=(TOPIC,), rollups=ROLLUPS, views=VIEWS)

if __name__ == "__main__":
    sys.exit(JOB.main(sys.argv[1:]))
