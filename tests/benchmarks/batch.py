"""A full batch run in a new process against DuckDB alone, in turn."""

from __future__ import annotations

import statistics
import tempfile

from tests.benchmarks.history import raw_history, warmed
from tests.benchmarks.process import measured

ROUNDS, LARGE = 3, 10_000_000  # above LARGE one round is enough


def run(events: int) -> None:
    """Print seconds and peak memory of both, and their ratio, round by round."""
    raw = str(warmed(raw_history(events)))
    print(
        f"\n## Batch, {events:,} raw events\n\n"
        "| DuckDB alone, s | batch run, s | ratio | peak memory of all processes, GB |"
    )
    print("|---|---|---|---|")
    ratios = []
    for _ in range(ROUNDS if events < LARGE else 1):
        with tempfile.TemporaryDirectory() as folder:
            floor, _ = measured(["-m", "tests.benchmarks.floor", raw, f"{folder}/floor"])
            ours, memory = measured(["batch_layer/run_batch_jobs.py", raw, f"{folder}/views", "--full"])
        ratios.append(ours / floor)
        print(f"| {floor:.1f} | {ours:.1f} | {ours / floor:.2f} | {memory:.2f} |", flush=True)
    print(f"\nmedian ratio {statistics.median(ratios):.2f}")
