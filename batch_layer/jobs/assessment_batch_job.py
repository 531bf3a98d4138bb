"""The assessment job alone: `spark-submit assessment_batch_job.py INPUT OUTPUT`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from batch_layer.run_batch_jobs import main

if __name__ == "__main__":
    sys.exit(main(["assessment", *sys.argv[1:]]))
