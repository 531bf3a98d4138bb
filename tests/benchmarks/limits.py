"""One large topic in tasks of 1 GB: that it is done at all, in which memory and scratch disk."""

from __future__ import annotations

import os
import tempfile

from tests.benchmarks.executors import JOB, TOPIC, pieces
from tests.benchmarks.history import raw_history
from tests.benchmarks.process import watched

TASKS = 2


def run(events: int) -> None:
    """Print seconds, peak memory of the largest process and of all, a task's scratch disk, and that of the shuffle."""
    raw = raw_history(events, topic=TOPIC)
    environ = {**os.environ, "SPARK_MASTER": f"local[{TASKS}]", "TASK_MEMORY": "1GB", "SPARK_DRIVER_MEMORY": "1g"}
    with tempfile.TemporaryDirectory() as folder:
        found = watched(
            ["-m", "tests.benchmarks.cut_run", *pieces(events), JOB, str(raw), folder, "--full"],
            environ,
        )
    print(f"\n## One topic, {events:,} events, {TASKS} tasks of 1 GB\n")
    print("| s | largest process, GB (at most 1.6) | all processes, GB | scratch a task, GB (below 2) | shuffled, GB |")
    print("|---|---|---|---|---|")
    scratch = found.scratch / TASKS
    print(
        f"| {found.seconds:.1f} | {found.largest:.2f} | {found.memory:.2f} | {scratch:.2f} | {found.shuffled:.2f} |",
        flush=True,
    )
