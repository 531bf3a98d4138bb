"""The producer to Kafka, and both readers of the backlog, ingestion to MinIO and the speed layer, on the real local
stack.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.raw_files import commits
from deployment.local_stack import LocalStack
from runtime.storage.opening import open_store
from tests.benchmarks.process import measured


def run(events: int) -> None:
    """Print events per second of each: whole processes, and the readers from their first commit to their last."""
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_ports=True)
        try:
            stack.up()
            environ = {**os.environ, **stack.environment}
            options = ["--events", str(events), "--seed", "1", "--students", "50000", "--courses", "1000"]
            sending, _ = measured(["ingestion_layer/producer.py", *options], environ)
            landing, _ = measured(["ingestion_layer/minio_ingest.py", "--once"], environ)
            rolling, memory = measured(["speed_layer/stream_layer.py", "--once"], environ)
            raw = open_store(stack.settings.master_dataset, stack.settings)
            made = commits(raw)
            deltas = read_deltas(open_store(stack.settings.speed_views, stack.settings))
        finally:
            stack.down()
    landed = _rate([(c.committed_at, sum(f.events for f in c.files)) for c in made])
    rolled = _rate([(d.created_at, sum(e["read"] for t in d.ledger.values() for e in t.values())) for d in deltas])
    print(f"\n## Producer, ingestion and speed layer, {events:,} events\n")
    print("| | events/s |\n|---|---|")
    print(f"| producer, whole process: generated, sent and acknowledged | {events / sending:,.0f} |")
    print(f"| ingestion, whole process with Spark's start | {events / landing:,.0f} |")
    print(f"| ingestion, sustained after its first commit | {landed:,.0f} |")
    print(f"| speed layer on the same backlog, whole process ({memory:.1f} GB at most) | {events / rolling:,.0f} |")
    print(f"| speed layer, sustained after its first delta | {rolled:,.0f} |")
    print(f"| speed layer's rate in the ingester's | {rolled / landed:.2f} |", flush=True)


def _rate(commits: list[tuple[str, int]]) -> float:
    """Events per second after the first of (moment, events)."""
    moments = [datetime.fromisoformat(moment) for moment, _ in commits]
    if any(earlier > later for earlier, later in pairwise(moments)) or len(moments) < 2:
        raise RuntimeError(f"ingestion: commits must be two or more, in order; got {len(moments)}")
    return sum(events for _, events in commits[1:]) / (moments[-1] - moments[0]).total_seconds()
