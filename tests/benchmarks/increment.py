"""A daily increment on a month of history against a full run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.history import raw_history, warmed
from tests.benchmarks.process import measured


def run(events: int) -> None:
    """Print seconds of a full run over 30 and over 90 days, and of the last day on top of the others."""
    for days in (30, 90):
        _measure(events, days)


def _measure(events: int, history: int) -> None:
    raw = warmed(raw_history(events, history))
    with tempfile.TemporaryDirectory() as folder:
        copy, views = Path(folder) / "raw", f"{folder}/views"
        shutil.copytree(raw, copy, copy_function=os.link)
        days = sorted({path.name for path in copy.glob("topic=*/date=*")})
        held = Path(folder) / "held"
        for path in list(copy.glob(f"topic=*/{days[-1]}")):
            (held / path.parent.name).mkdir(parents=True)
            path.rename(held / path.parent.name / path.name)
        measured(["batch_layer/run_batch_jobs.py", str(copy), views])
        for path in list(held.glob("topic=*/*")):
            path.rename(copy / path.parent.name / path.name)
        daily, _ = measured(["batch_layer/run_batch_jobs.py", str(copy), views])
        full, _ = measured(["batch_layer/run_batch_jobs.py", str(copy), views, "--full"])
    print(f"\n## A day on top of {len(days) - 1} days, {events:,} events in all\n")
    print("| full run, s | daily run, s | daily / full |\n|---|---|---|")
    print(f"| {full:.1f} | {daily:.1f} | 1/{full / daily:.1f} |", flush=True)
