"""The auth job alone: `spark-submit auth_batch_job.py INPUT OUTPUT`."""

import sys

from batch_layer.run_batch_jobs import main

if __name__ == "__main__":
    sys.exit(main(["auth", *sys.argv[1:]]))
