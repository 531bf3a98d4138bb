"""The producer to Kafka, and ingestion from there to MinIO, on the real local stack, each beside the least that anybody
has to do for it; ingestion with one and with two tasks side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from catalogue.at_rest.raw_files import Commit, commits
from deployment.local_stack import LocalStack
from runtime.storage.opening import open_store
from tests.benchmarks.process import measured

# Nobody reads what the yardstick sends there.
SPARE_TOPIC = "yardstick"


def run(events: int) -> None:
    """Print events per second of each, its yardstick's, and the ratio: whole processes without their start."""
    with backlog(events) as (stack, environ):
        sending = produced(events, environ)
        bare = _bare(environ, "send", str(events), SPARE_TOPIC)
        measured(["ingestion_layer/minio_ingest.py", "--once"], environ)
        landed = _rate(commits(open_store(stack.settings.master_dataset, stack.settings)))
        landing = events / _bare(environ, "land", "s3a://bucket-0/bare")
    print(f"\n## Producer and ingestion, {events:,} events\n")
    print("| | events/s | yardstick, events/s | ratio |\n|---|---|---|---|")
    sent, ready = events / sending, events / bare
    print(
        f"| producer beside kafka-python that sends ready bytes (bar 0.9) | {sent:,.0f} | {ready:,.0f} "
        f"| {sent / ready:.2f} |"
    )
    print(
        f"| ingestion beside a bare consumer that writes gzip'd lines (bar 0.5) | {landed:,.0f} | {landing:,.0f} "
        f"| {landed / landing:.2f} |",
        flush=True,
    )


def run_with_executors(events: int) -> None:
    """Print events per second of ingestion with one task at a time and with two."""
    rates = {}
    with backlog(events) as (stack, environ):
        produced(events, environ)
        for tasks in (1, 2):
            places = {name: f"s3a://bucket-0/{name.lower()}-{tasks}" for name in ("MASTER_DATASET", "QUARANTINE")}
            own = {**environ, **places, "SPARK_MASTER": f"local[{tasks}]"}
            measured(["ingestion_layer/minio_ingest.py", "--once"], own)
            rates[tasks] = _rate(commits(open_store(places["MASTER_DATASET"], stack.settings)))
    print(f"\n## Ingestion with one and with two tasks side by side, {events:,} events\n")
    print("| one, events/s | two, events/s | times as fast |\n|---|---|---|")
    print(f"| {rates[1]:,.0f} | {rates[2]:,.0f} | {rates[2] / rates[1]:.2f} |", flush=True)


@contextmanager
def backlog(events: int) -> Iterator[tuple[LocalStack, dict[str, str]]]:
    """A running stack, and the environment of programs on it, in which no backlog of so many events is one commit."""
    most = str(max(1000, min(400_000, events // 5)))
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_ports=True)
        try:
            stack.up()
            yield stack, {**os.environ, **stack.environment, "INGEST_MAX_EVENTS": most}
        finally:
            stack.down()


def produced(events: int, environ: dict[str, str]) -> float:
    """Seconds that the producer takes from its start, without Python's and the population's, to the last event."""
    options = ["--seed", "1", "--students", "50000", "--courses", "1000"]
    whole, _ = measured(["ingestion_layer/producer.py", "--events", str(events), *options], environ)
    start, _ = measured(["ingestion_layer/producer.py", "--events", "1", *options, "--output", os.devnull], environ)
    return whole - start


def _bare(environ: dict[str, str], *options: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bare_client", *options],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def _rate(made: list[Commit]) -> float:
    """Events per second after the first commit: without Spark's start."""
    moments = [datetime.fromisoformat(c.committed_at) for c in made]
    if any(earlier > later for earlier, later in pairwise(moments)) or len(moments) < 2:
        raise RuntimeError(f"ingestion: commits must be two or more, in order; got {len(moments)}")
    events = sum(f.events for c in made[1:] for f in c.files)
    return events / (moments[-1] - moments[0]).total_seconds()
