"""Ids are found in files and among recent ones, each as often as it was seen, by however many workers at once."""

from __future__ import annotations

import io
from concurrent.futures import ProcessPoolExecutor
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.sql.dialect import connect
from runtime.storage.opening import open_store
from speed_layer import known_ids
from speed_layer.known_ids import IdFile, KnownIds, MissingIds, remove_copies
from speed_layer.sightings import COLUMNS, below, find, halves, in_order, searched

TOPIC, OTHER = "auth_topic", "course_topic"


def ids(numbers: list[int]) -> pa.ChunkedArray:
    """Ids of 16 bytes; few upper halves, so that several ids share one."""
    return pa.chunked_array([pa.array([UUID(int=(n % 3 << 64) + n).bytes for n in numbers], pa.binary(16))])


def sightings(numbers: list[int], topic: str = TOPIC, first: int = 0) -> pa.Table:
    """One sighting per number, which arrived at that microsecond, in partition 0 from offset `first` on."""
    size = len(numbers)
    return pa.table(
        {
            "topic": pa.array([topic] * size, pa.string()).dictionary_encode().cast(COLUMNS.field("topic").type),
            "event_id": ids(numbers),
            "partition": pa.array([0] * size, pa.int32()),
            "offset": pa.array(range(first, first + size), pa.int64()),
            "kafka_ts": pa.array(numbers, pa.int64()).cast(pa.timestamp("us")),
        }
    )


def found(known: KnownIds, numbers: list[int], topic: str = TOPIC) -> list[tuple[int, int]]:
    places, arrivals = known.sightings(topic, ids(numbers))
    return sorted((numbers[place], int(arrived)) for place, arrived in zip(places, arrivals, strict=True))


def written(store, path: str, table: pa.Table) -> IdFile:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    store.write(path, sink.getvalue())
    return IdFile(store, path, head={TOPIC: {"0": 1000}, OTHER: {"0": 1000}})


@settings(deadline=None)
@given(st.lists(st.integers(0, 40)), st.lists(st.integers(0, 40), unique=True))
def test_every_sighting_of_an_id_is_found_and_no_other(seen, asked):
    places, arrivals = find(in_order(searched(sightings(seen))), halves(ids(asked)))
    expected = sorted((number, number) for number in seen if number in asked)
    assert sorted((asked[p], int(a)) for p, a in zip(places, arrivals, strict=True)) == expected


def test_files_and_recent_sightings_of_a_topic_are_known_together(tmp_path, monkeypatch):
    monkeypatch.setattr(known_ids, "MOST_SORTED", 4)  # a file has several parts
    store = open_store(str(tmp_path))
    mixed = written(store, "mixed.parquet", pa.concat_tables([sightings([*range(9)]), sightings([20, 21], OTHER)]))
    known = KnownIds("test-together", (mixed,), {TOPIC: searched(sightings([4, 30]))})
    try:
        assert found(known, [3, 4, 20, 30, 31]) == [(3, 3), (4, 4), (4, 4), (30, 30)]
        assert found(known, [3, 20], OTHER) == [(20, 20)]
        assert found(known, []) == [] and found(known, [3], "video_topic") == []
    finally:
        remove_copies("test-together")


def test_ids_of_a_batch_run_are_read_as_duckdb_writes_them(tmp_path):
    con = connect()
    con.execute(f"""COPY (SELECT unnest(['{UUID(int=7)}', '{UUID(int=2**127 + 9)}'])::UUID AS event_id,
        0::BIGINT AS "partition", TIMESTAMP '1970-01-01 00:00:00.000005' AS kafka_ts)
        TO '{tmp_path}/ids.parquet' (FORMAT parquet)""")
    known = KnownIds("test-run", (IdFile(open_store(str(tmp_path)), "ids.parquet", TOPIC),))
    asked = pa.chunked_array([pa.array([UUID(int=n).bytes for n in (8, 7, 2**127 + 9)], pa.binary(16))])
    try:
        places, arrivals = known.sightings(TOPIC, asked)
        assert sorted(places) == [1, 2] and list(arrivals) == [5, 5]
        assert len(known.sightings(OTHER, asked)[0]) == 0
    finally:
        remove_copies("test-run")


def test_sightings_at_the_head_or_beyond_are_not_known():
    told = sightings([*range(6)], first=10)
    assert searched(below(told, {"0": 13}))[2].tolist() == [0, 1, 2]
    assert below(told, {"1": 99}).num_rows == below(told, {}).num_rows == 0


def _asked(known: KnownIds) -> list[tuple[int, int]]:
    return found(known, [5, 999])


def test_workers_of_a_machine_share_one_copy(tmp_path):
    store = open_store(str(tmp_path))
    files = tuple(written(store, f"{n}.parquet", sightings([*range(n * 100, n * 100 + 100)])) for n in range(4))
    known = KnownIds("test-shared", files)
    try:
        with ProcessPoolExecutor(3) as workers:
            assert list(workers.map(_asked, [known] * 6)) == [[(5, 5)]] * 6
        for file in files:
            (tmp_path / file.path).unlink()
        with ProcessPoolExecutor(1) as workers:
            assert workers.submit(_asked, known).result() == [(5, 5)], "nobody asks the store for a copy that is there"
    finally:
        remove_copies("test-shared")


def test_a_file_that_is_gone_is_named(tmp_path):
    known = KnownIds("test-gone", (IdFile(open_store(str(tmp_path)), "ids.parquet"),))
    try:
        with pytest.raises(MissingIds, match=f"'ids.parquet' in {tmp_path}: must stay until the next start; got none"):
            found(known, [1])
    finally:
        remove_copies("test-gone")


def test_copies_that_nobody_uses_any_more_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(known_ids.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(known_ids, "UNUSED_SECONDS", -1)
    (tmp_path / "speed-ids-dead").mkdir()
    assert found(KnownIds("alive"), [1]) == []
    assert [f.name for f in tmp_path.iterdir()] == ["speed-ids-alive"]
