"""A batch run whose topics are cut as told: `python -m tests.benchmarks.cut_run SLICE BUCKET [JOB …] INPUT OUTPUT`.

SLICE and BUCKET are bytes of raw events; 0 leaves what the batch layer has. So small inputs go the way of large ones.
"""

from __future__ import annotations

import sys

from batch_layer import topic_plan, topic_run
from batch_layer.run_batch_jobs import main


def run(slice_bytes: int, bucket_bytes: int, arguments: list[str]) -> int:
    """The exit status of the run."""
    if slice_bytes:
        topic_plan.SLICE_BYTES, topic_plan.BUCKET_BYTES, topic_run.VIEW_BYTES = slice_bytes, bucket_bytes, 1
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
