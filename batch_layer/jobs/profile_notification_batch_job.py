"""The profile_notification job alone: how profiles change, and what becomes of notifications.

    spark-submit batch_layer/jobs/profile_notification_batch_job.py INPUT OUTPUT [--full]

`--help` prints what it computes.
"""

import sys

from batch_layer.job import Job
from catalogue.views import notification, profile

JOB = Job(
    "profile_notification",
    topics=(profile.TOPIC, notification.TOPIC),
    rollups=(*profile.ROLLUPS, *notification.ROLLUPS),
    views=(*profile.VIEWS, *notification.VIEWS),
)

if __name__ == "__main__":
    sys.exit(JOB.main(sys.argv[1:]))
