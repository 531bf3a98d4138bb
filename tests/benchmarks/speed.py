"""The speed layer on a backlog: with one worker of Spark and with two."""

from __future__ import annotations

from datetime import datetime

from catalogue.at_rest.deltas import Delta, read_deltas
from runtime.storage.opening import open_store
from tests.benchmarks.ingestion import backlog, produced
from tests.benchmarks.process import measured


def run(events: int) -> None:
    """Print events per second after the first delta, peak memory, and the time with two workers against one."""
    found = {}
    with backlog(events) as (stack, environ):
        produced(events, environ)
        for workers in (1, 2):
            views = f"s3a://bucket-0/speed-{workers}"
            most = str(max(500, min(100_000, events // 10)))
            own = {"SPEED_VIEWS": views, "SPARK_MASTER": f"local[{workers}]", "SPEED_MAX_EVENTS": most}
            _, memory = measured(["speed_layer/stream_layer.py", "--once"], {**environ, **own})
            found[workers] = _rate(read_deltas(open_store(views, stack.settings))), memory
    print(f"\n## Speed layer on a backlog of {events:,} events\n")
    print("| workers | events/s after the first delta | all processes, GB |\n|---|---|---|")
    for workers, (rate, memory) in found.items():
        print(f"| {workers} | {rate:,.0f} | {memory:.2f} |")
    print(f"\nthe time with two is {found[1][0] / found[2][0]:.2f} of that with one (at most 0.65)", flush=True)


def _rate(deltas: list[Delta]) -> float:
    moments = [datetime.fromisoformat(d.created_at) for d in deltas]
    if len(moments) < 2:
        raise RuntimeError(f"speed: deltas must be two or more; got {len(moments)}")
    read = sum(entry["read"] for d in deltas[1:] for topic in d.ledger.values() for entry in topic.values())
    return read / (moments[-1] - moments[0]).total_seconds()
