"""What else the machine does while something is measured: figures of a busy one say little by themselves."""

from __future__ import annotations

import os
import time
from pathlib import Path

QUIET = 0.15
LOOPS = 10_000_000


def in_use(seconds: float = 2.0) -> float:
    """The share of all cores that is in use, taken over so many seconds."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    total = sum(after) - sum(before)
    return 1 - (after[3] + after[4] - before[3] - before[4]) / max(1, total)


def told() -> str:
    """How busy the machine is before a measurement, and how fast: a plain loop of Python is the measure of that."""
    share = in_use()
    started = time.process_time()
    for _ in range(LOOPS):
        pass
    loop = time.process_time() - started
    state = "quiet" if share <= QUIET else "BUSY, so that only ratios count"
    return (
        f"\nMachine: {os.cpu_count()} cores, {share:.0%} in use before this part ({state}); "
        f"a Python loop of 10 million took {loop:.2f} s of CPU"
    )


def _ticks() -> list[int]:
    return [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
