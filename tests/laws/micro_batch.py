"""Micro-batches without Spark: records go to tasks by partition, as Kafka's source hands them out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from random import Random

import pyarrow as pa

from speed_layer.contribution import Contribution, contributions, judged, opened
from speed_layer.delta_stream import DeltaStream
from tests.oracle.counting import Record

MOST_TASKS = 3


def table(records: Iterable[Record]) -> pa.Table:
    """Records as Spark hands them to a task."""
    taken = list(records)
    return pa.table(
        {
            "topic": [r.topic for r in taken],
            "partition": pa.array([r.partition for r in taken], pa.int32()),
            "offset": pa.array([r.offset for r in taken], pa.int64()),
            "timestamp": pa.array([r.kafka_timestamp for r in taken], pa.timestamp("us", "UTC")),
            "value": pa.array([r.value for r in taken], pa.binary()),
        }
    )


def published(stream: DeltaStream, records: list[Record], rng: Random, rows_at_once: int = 50) -> None:
    """Publish the delta of a micro-batch; its partitions go to up to MOST_TASKS tasks."""
    known, days = stream.horizon.known(), stream.settings.duplicate_days
    tasks = rng.randint(1, MOST_TASKS)
    places = {place: rng.randrange(tasks) for place in sorted({r[:2] for r in records})}

    def task(mine: list[Record]) -> list[Contribution]:
        batches = table(mine).to_batches(rows_at_once)
        rows = (
            row
            for batch in contributions(batches, known, days, stream.erased)
            for row in batch["contribution"].to_pylist()
        )
        return opened(rows)

    def run(topics: tuple[str, ...]) -> list[Contribution]:
        if topics:
            return task([r for r in records if r.topic in topics])
        return [c for n in range(tasks) for c in task([r for r in records if places[r[:2]] == n])]

    stream.publish(judged(run), time.monotonic())
