"""The course job alone: enrolments, materials, downloads and how lively courses are.

    spark-submit batch_layer/jobs/course_batch_job.py INPUT OUTPUT [--full]

`--help` prints what it computes.
"""

import sys

from batch_layer.job import Job
from catalogue.views.course import ROLLUPS, TOPIC, VIEWS

JOB = Job("course", topics=(TOPIC,), rollups=ROLLUPS, views=VIEWS)

if __name__ == "__main__":
    sys.exit(JOB.main(sys.argv[1:]))
