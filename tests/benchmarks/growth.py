"""What an event costs a full run when there are ten times as many."""

from __future__ import annotations

import os
import tempfile

from tests.benchmarks.history import raw_history, warmed
from tests.benchmarks.process import measured

TIMES = 10


def run(events: int) -> None:
    """Print microseconds per event of a full run over `events` and over ten times as many."""
    print("\n## Growth: full runs of all topics\n\n| events | s | microseconds per event |\n|---|---|---|", flush=True)
    each = []
    for number in (events, events * TIMES):
        raw = str(warmed(raw_history(number)))
        with tempfile.TemporaryDirectory() as folder:
            seconds, _ = measured(["batch_layer/run_batch_jobs.py", raw, folder, "--full"], dict(os.environ))
        each.append(seconds / number)
        print(f"| {number:,} | {seconds:.1f} | {seconds / number * 1e6:.2f} |", flush=True)
    print(f"\nper event {each[1] / each[0]:.2f} times as long (at most 1.2)", flush=True)
