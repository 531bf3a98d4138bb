"""A micro-batch's share as files: by topic, partition and day of arrival, the same bytes each time."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
from collections import Counter

import pyarrow as pa
import pytest

from catalogue.at_rest.raw_files import RawName
from ingestion_layer.landing import land
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from tests.oracle.counting import Record
from tests.oracle.histories import envelope, history, landed
from tests.oracle.validity import is_valid

SMALL = 97


@pytest.fixture
def stores(tmp_path) -> tuple[Store, Store]:
    return open_store(str(tmp_path / "raw")), open_store(str(tmp_path / "quarantine"))


def arrive(records: list[Record], stores: tuple[Store, Store]) -> list[dict]:
    table = pa.table(
        {
            "topic": [r.topic for r in records],
            "partition": pa.array([r.partition for r in records], pa.int32()),
            "offset": pa.array([r.offset for r in records], pa.int64()),
            "timestamp": pa.array([r.kafka_timestamp for r in records], pa.timestamp("us", "UTC")),
            "value": pa.array([r.value for r in records], pa.binary()),
        }
    )
    return [row for batch in land(iter(table.to_batches(SMALL)), *stores, 3) for row in batch.to_pylist()]


def content(store: Store) -> dict[str, list[bytes]]:
    return {e.path: gzip.decompress(store.read(e.path)).splitlines(keepends=True) for e in store.list()}


def test_every_event_lands_once_as_it_came(stores):
    records = history(3, 900)
    rows = arrive(records, stores)
    raw, quarantine = stores
    lines = Counter(line for found in content(raw).values() for line in found)
    assert lines == Counter(envelope(r) for r in landed(records))
    for row in rows:
        mine = [
            r
            for r in records
            if (r.topic, r.partition, r.kafka_timestamp.date().isoformat())
            == (row["topic"], row["partition"], row["day"])
        ]
        assert (row["first"], row["last"]) == (min(r.offset for r in mine), max(r.offset for r in mine))
        assert row["read"] == len(mine) == row["events"] + row["unparseable"]
        valid = [r for r in mine if is_valid(r.topic, r.kafka_timestamp, r.value)]
        assert row["events"] - row["invalid"] == len(valid)
        path = RawName(row["topic"], row["day"], row["partition"], row["first"], row["last"], 3).path
        assert row["bytes"] == (len(raw.read(path)) if row["events"] else 0)
        assert (quarantine.etag(path) is None) == (len(valid) == len(mine))


def test_what_is_quarantined_can_be_sent_again(stores):
    records = history(6, 600)
    arrive(records, stores)
    kept: Counter[tuple] = Counter()
    for lines in content(stores[1]).values():
        for line in map(json.loads, lines):
            value = base64.b64decode(line["value"]) if "value_encoding" in line else line["value"].encode()
            assert line["reason"] and line["detail"] and isinstance(line["value"], str)
            kept[line["topic"], line["partition"], line["offset"], line["kafka_timestamp"], value] += 1
    faulty = [r for r in records if not is_valid(r.topic, r.kafka_timestamp, r.value)]
    stamp = "%Y-%m-%dT%H:%M:%S."
    expected = Counter(
        (*r[:3], f"{r.kafka_timestamp:{stamp}}{r.kafka_timestamp.microsecond // 1000:03}Z", r.value) for r in faulty
    )
    assert kept == expected


def test_a_repeated_attempt_leaves_the_same_bytes(stores):
    records = history(4, 300)
    arrive(records, stores)
    before = [{e.path: store.read(e.path) for e in store.list()} for store in stores]
    arrive(records, stores)
    assert [{e.path: store.read(e.path) for e in store.list()} for store in stores] == before


def test_midnight_parts_the_files(stores):
    night = dt.datetime(2026, 3, 1, 23, 59, 59, 999000, tzinfo=dt.UTC)
    records = [Record("auth_topic", 2, 7 + n, night + dt.timedelta(milliseconds=n), b'{"n":%d}' % n) for n in range(3)]
    assert [(row["day"], row["first"], row["last"]) for row in arrive(records, stores)] == [
        ("2026-03-01", 7, 7),
        ("2026-03-02", 8, 9),
    ]
    assert list(content(stores[0])) == [
        "topic=auth_topic/date=2026-03-01/part-00002-00000000000000000007-00000000000000000007-00000003.json.gz",
        "topic=auth_topic/date=2026-03-02/part-00002-00000000000000000008-00000000000000000009-00000003.json.gz",
    ]


def test_nothing_arrives(stores):
    assert arrive([], stores) == [] and content(stores[0]) == {}
