"""The video job alone: `spark-submit video_batch_job.py INPUT OUTPUT`."""

import sys

from batch_layer.run_batch_jobs import main

if __name__ == "__main__":
    sys.exit(main(["video", *sys.argv[1:]]))
