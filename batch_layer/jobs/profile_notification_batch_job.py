"""The profile_notification job alone: `spark-submit profile_notification_batch_job.py INPUT OUTPUT`."""

import sys

from batch_layer.run_batch_jobs import main

if __name__ == "__main__":
    sys.exit(main(["profile_notification", *sys.argv[1:]]))
