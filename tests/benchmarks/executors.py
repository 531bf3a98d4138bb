"""One topic computed from all of its raw events, by one executor of one core and by two: on this machine as threads of
one Spark, and on a standalone cluster as workers.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.history import raw_history
from tests.benchmarks.process import measured
from tests.standalone.cluster import Standalone

TOPIC, JOB = "video_topic", "video"
ROUNDS = 3
LARGE = 10_000_000  # above LARGE one round is enough
# What is smaller than a few slices is cut into so many, so that it goes the same way.
PIECES = 8
BYTES_AN_EVENT = 450
PROPERTIES = "spark.executor.memory 1g\nspark.executor.cores 1\n"
Environment = dict[str, str]


def run(events: int) -> None:
    """Print seconds of both on this machine, and their ratio."""

    @contextmanager
    def local(number: int) -> Iterator[Environment]:
        yield {"SPARK_MASTER": f"local[{number}]"}

    compare(f"One topic, {events:,} events, threads of this machine", events, local, "at most 0.6")


def run_on_cluster(events: int) -> None:
    """Print seconds of one worker and of two on a standalone cluster, and their ratio."""

    @contextmanager
    def cluster(number: int) -> Iterator[Environment]:
        with tempfile.TemporaryDirectory() as folder:
            running = Standalone(Path(folder) / "spark", PROPERTIES)
            try:
                running.up(number)
                yield {**running.environment, "TASK_MEMORY": "1500MB"}
            finally:
                running.down()

    compare(f"One topic, {events:,} events, workers of a standalone cluster", events, cluster, "at most 0.65")


def compare(title: str, events: int, having: Callable[[int], object], bar: str) -> None:
    """Print a table of what one and two of something take."""
    raw = raw_history(events, topic=TOPIC)
    print(f"\n## {title}\n\n| one, s | two, s | ratio ({bar}) |\n|---|---|---|", flush=True)
    ratios = []
    for _ in range(ROUNDS if events < LARGE else 1):
        seconds = []
        for number in (1, 2):
            with having(number) as settings, tempfile.TemporaryDirectory() as folder:  # type: ignore[attr-defined]
                command = ["-m", "tests.benchmarks.cut_run", *pieces(events), JOB, str(raw), folder, "--full"]
                seconds.append(measured(command, {**os.environ, **settings})[0])
        ratios.append(seconds[1] / seconds[0])
        print(f"| {seconds[0]:.1f} | {seconds[1]:.1f} | {ratios[-1]:.2f} |", flush=True)
    print(f"\nmedian ratio {statistics.median(ratios):.2f}", flush=True)


def pieces(events: int) -> tuple[str, str]:
    """Bytes of a slice and of a bucket for `cut_run`; zeros where the batch layer's own make several of both."""
    size = events * BYTES_AN_EVENT
    return ("0", "0") if size > 8 * 2**30 else (str(size // PIECES), str(size // 4))
