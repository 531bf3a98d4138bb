"""Records that are judged, and the oracle's verdict of the same, record by record."""

import datetime as dt
import json
from functools import cache

import pyarrow as pa

from catalogue.sql.dialect import connect
from catalogue.sql.verdicts import inspect
from tests.oracle import histories as h
from tests.oracle import validity
from tests.oracle.counting import Record

CON = connect()
ARRIVED = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
WATCHED = {
    "event_id": "cd613e30-d8f1-4adf-91b7-584a2265b1f5",
    "event_category": "VIDEO",
    "event_type": "VIDEO_WATCHED",
    "user_id": "SV001",
    "timestamp": "2026-03-01 10:00:00.5",
    "video_id": "VID001",
    "course_id": "COURSE001",
    "watch_duration_seconds": 5,
}


def inspected(topic: str, records: list[Record]) -> list[dict]:
    table = pa.table(
        {
            "partition": pa.array([r.partition for r in records], pa.int32()),
            "offset": pa.array([r.offset for r in records], pa.int64()),
            "kafka_timestamp": pa.array([r.kafka_timestamp for r in records], pa.timestamp("us", "UTC")),
            "value": pa.array([r.value for r in records], pa.binary()),
        }
    )
    return inspect(CON, topic, table).to_pylist()


def as_records(values: list[bytes], topic: str = "video_topic") -> list[Record]:
    return [Record(topic, 0, offset, ARRIVED, value) for offset, value in enumerate(values)]


def judge(*values: bytes) -> list[dict]:
    return inspected("video_topic", as_records(list(values)))


def changed(**fields) -> bytes:
    return json.dumps({**WATCHED, **fields}).encode()


@cache
def oracle_says(topic: str, arrived: dt.datetime, value: bytes) -> tuple[bool, bool]:
    """Whether the value is a valid event, and whether it lands."""
    return validity.is_valid(topic, arrived, value), bool(h.landed([Record(topic, 0, 0, arrived, value)]))


def check_against_oracle(topic: str, records: list[Record]) -> None:
    """Same verdict and same raw line, record by record, as the oracle's."""
    rows = inspected(topic, records)
    assert [(r["partition"], r["offset"], r["kafka_timestamp"]) for r in rows] == [tuple(r[1:4]) for r in records]
    differing = []
    for record, row in zip(records, rows, strict=True):
        valid, lands = oracle_says(topic, record.kafka_timestamp, record.value)
        line = h.envelope(record).decode() if lands else None
        got = (row["reason"] is None, row["detail"] is None, row["line"] and row["line"] + "\n", row["parseable"])
        if got != (valid, valid, line, line is not None):
            differing.append((record.value[:300], {"must be valid": valid, "landed": line is not None}, str(row)[:400]))
    assert not differing
