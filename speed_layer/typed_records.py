"""What Spark's tasks do: records of a micro-batch become typed events, packed per topic for the driver."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from functools import cache

import duckdb
import pyarrow as pa

from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.typed_events import fields_read
from catalogue.sql.verdicts import by_topic, typed
from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from catalogue.views.windows import WINDOW_ROLLUPS
from runtime.spark.workers import forget_zip_archives

SCHEMA = "topic string, events binary"
ALWAYS = ("event_id", "event_type", "ts", "date", "hour")
_PACKED = pa.schema([("topic", pa.string()), ("events", pa.binary())])


@cache
def rollups_of(topic: str) -> tuple[Rollup, ...]:
    """The rollups that a delta holds for a topic: those of the views and those of the windows."""
    return tuple(r for r in (*ROLLUPS.values(), *WINDOW_ROLLUPS.values()) if r.topic == topic)


@cache
def columns_of(topic: str) -> tuple[str, ...]:
    """The typed columns that the topic's rollups read."""
    words = set().union(*(r.words for r in rollups_of(topic)))
    return fields_read(TOPICS[topic], words, ALWAYS)


def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of SCHEMA: a topic's typed events as an Arrow stream, from (topic, partition, offset, timestamp, value)."""
    con = _connection()
    for batch in batches:
        for topic, records in by_topic(batch):
            events = typed(con, topic, records, columns_of(topic))
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, events.schema) as stream:
                stream.write_table(events)
            yield pa.RecordBatch.from_pylist([{"topic": topic, "events": sink.getvalue().to_pybytes()}], _PACKED)
    forget_zip_archives()


def unpack(packed: list[bytes]) -> pa.Table:
    """The events of one topic out of what tasks packed."""
    return pa.concat_tables([pa.ipc.open_stream(data).read_all() for data in packed])


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One connection per worker process, which Spark keeps from batch to batch."""
    return connect()


atexit.register(_connection.cache_clear)
