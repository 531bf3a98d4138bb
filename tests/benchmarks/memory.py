"""Lookups by one key where the state is larger than SERVING_MEMORY. The run is made directly, so that it may be of 100
million events: `python -m tests.benchmarks memory --events 100000000`.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks.large_state import COURSES, STUDENTS, make
from tests.benchmarks.process import memory_of
from tests.benchmarks.serving import LOOKUPS, RATE, SECONDS, at_rate, ms, served, until_ready

# What the query API takes at least.
LEAST = 300 * 10**6


def run(events: int) -> None:
    """Print the sizes of the state and of the memory, and latencies of lookups by person and by course."""
    with tempfile.TemporaryDirectory() as folder:
        views, scratch = Path(folder) / "views", Path(folder) / "scratch"
        scratch.mkdir()
        make(events, views)
        environ = {**os.environ, "BATCH_VIEWS": str(views), "SPEED_VIEWS": f"{folder}/speed", "TMPDIR": str(scratch)}
        size = _opened(environ, scratch, 4 * 10**9, [])[0]
        limit = max(LEAST, size // 5)
        users = [f"SV{n:03}" for n in random.Random(1).sample(range(1, STUDENTS), 2000)]
        courses = [f"COURSE{n:03}" for n in random.Random(1).sample(range(1, COURSES), 1000)]
        paths = {f"{view} by person": [f"/views/{view}?user_id={user}" for user in users] for view in LOOKUPS}
        paths["video_course_metrics by course"] = [f"/views/video_course_metrics?course_id={c}" for c in courses]
        size, opening, held, told = _opened(environ, scratch, limit, list(paths.items()))
    print(f"\n## State beyond memory, rollups of {events:,} events\n\n| | |\n|---|---|")
    print(
        f"| state on disk, GB; SERVING_MEMORY, GB; a quarter or less | {size / 1e9:.2f}; {limit / 1e9:.2f}; "
        f"{'yes' if limit * 4 <= size else 'no, as it takes 300MB at least'} |"
    )
    print(f"| opened in, s; memory of the process, GB | {opening:.1f}; {held / 1e9:.2f} |")
    for name, latencies in told:
        print(
            f"| {name}, at {_rate(name)}/s: p50, p99, ms (p99 below 50) "
            f"| {ms(latencies, 0.5)}, {ms(latencies, 0.99)} |",
            flush=True,
        )


def _opened(
    environ: dict[str, str], scratch: Path, limit: int, paths: list[tuple[str, list[str]]]
) -> tuple[int, float, int, list[tuple[str, list[float]]]]:
    """Bytes of the state on disk, seconds until it serves, the process's memory at the end, and latencies."""
    started = time.monotonic()
    process, address = served(["serving_layer/serving_layer.py"], {**environ, "SERVING_MEMORY": f"{limit // 10**6}MB"})
    try:
        until_ready(address)
        opening = time.monotonic() - started
        told = [(name, asyncio.run(at_rate(address, asked, _rate(name), SECONDS))) for name, asked in paths]
        size = sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file())
        return size, opening, memory_of(process.pid), told
    finally:
        process.terminate()
        process.wait(60)


def _rate(name: str) -> int:
    """Lookups a second: persons' rows are found without a query, others by one."""
    return RATE if name.endswith("by person") else RATE // 4
