"""The producer to Kafka, and ingestion of the backlog to MinIO, on the real local stack."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime
from pathlib import Path

from catalogue.storage import open_store
from deployment.local_stack import LocalStack
from tests.benchmarks.process import measured


def run(events: int) -> None:
    """Print events per second of both: whole processes, and ingestion from its first commit to its last."""
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_ports=True)
        try:
            stack.up()
            environ = {**os.environ, **stack.environment}
            options = ["--events", str(events), "--seed", "1", "--students", "50000", "--courses", "1000"]
            sending, _ = measured(["ingestion_layer/producer.py", *options], environ)
            landing, _ = measured(["ingestion_layer/minio_ingest.py", "--once"], environ)
            raw = open_store(stack.settings.master_dataset, stack.settings)
            commits = [json.loads(raw.read(entry.path)) for entry in raw.list("_commits/")]
        finally:
            stack.down()
    moments = [datetime.fromisoformat(commit["committed_at"]) for commit in commits]
    later = sum(file["events"] for commit in commits[1:] for file in commit["files"])
    span = (moments[-1] - moments[0]).total_seconds()
    sustained = f"{later / span:,.0f}" if span else "one commit only"
    print(f"\n## Producer and ingestion, {events:,} events\n")
    print("| | events/s |\n|---|---|")
    print(f"| producer, whole process: generated, sent and acknowledged | {events / sending:,.0f} |")
    print(f"| ingestion, whole process with Spark's start | {events / landing:,.0f} |")
    print(f"| ingestion, sustained after its first commit | {sustained} |", flush=True)
