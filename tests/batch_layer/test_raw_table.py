"""What batch reads of a raw line is what ingestion and speed judged of the event: one verdict, whoever asks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from batch_layer.raw_table import UnreadableFile, each_once, fetch, load, unreadable_lines
from catalogue.sql.dialect import connect
from catalogue.sql.verdicts import inspect, typed
from runtime.storage.opening import open_store
from tests.catalogue.sql.judging import as_records, changed
from tests.catalogue.sql.test_raw_values import RAW
from tests.catalogue.sql.test_verdicts import TIMES, TYPES, spoilt
from tests.oracle.counting import Record
from tests.oracle.histories import envelope, history, landed
from tests.oracle.validity import RULES

FIELDS = ("fault", "event_id", "event_type", "ts", "user_id")


def verdicts(topic: str, records: Sequence[Record], folder: Path) -> list[tuple[dict, dict, dict]]:
    """Of each record that lands: what ingestion, the batch's reader of the raw line and speed say of it."""
    con = connect()
    table = pa.table(
        {
            "partition": pa.array([r.partition for r in records], pa.int32()),
            "offset": pa.array([r.offset for r in records], pa.int64()),
            "kafka_timestamp": pa.array([r.kafka_timestamp for r in records], pa.timestamp("us", "UTC")),
            "value": pa.array([r.value for r in records], pa.binary()),
        }
    )
    judged = {(r["partition"], r["offset"]): r for r in inspect(con, topic, table).to_pylist() if r["parseable"]}
    fast = {(r["partition"], r["offset"]): r for r in _plain(con, typed(con, topic, table, FIELDS)) if r["parseable"]}
    (folder / "raw.json").write_text("\n".join(r["line"] for r in judged.values()), encoding="utf-8", newline="")
    assert load(con, topic, {folder / "raw.json": "raw.json"}) == 0
    read = {(r["partition"], r["offset"]): r for r in _plain(con, con.sql("FROM events").to_arrow_table())}
    assert judged.keys() == fast.keys() == read.keys()
    return [(judged[place], read[place], fast[place]) for place in judged]


def _plain(con: duckdb.DuckDBPyConnection, table: pa.Table) -> list[dict]:
    """Rows with times as numbers: Python's own times end in the year 9999."""
    con.register("plain", table)
    found = con.sql("SELECT * REPLACE (epoch_us(ts) AS ts) FROM plain").to_arrow_table()
    return found.drop_columns([c for c in found.column_names if c in ("date", "kafka_ts")]).to_pylist()


def check(topic: str, records: Sequence[Record], folder: Path) -> None:
    for judged, read, fast in verdicts(topic, records, folder):
        fault = "\t".join((judged["reason"], judged["detail"])) if judged["reason"] else None
        assert read["fault"] == fast["fault"] == fault, judged["line"][:300]
        assert {n: read[n] for n in FIELDS} == {n: fast[n] for n in FIELDS}, judged["line"][:300]


@pytest.mark.parametrize("topic", RULES)
def test_histories(topic, tmp_path):
    check(topic, history(4, 1500, topics=(topic,)), tmp_path)


@pytest.mark.parametrize("topic", RULES)
def test_each_rule_of_each_type(topic, tmp_path):
    values = [value for place, kind in TYPES if place == topic for value in spoilt(topic, kind)]
    check(topic, as_records(values, topic), tmp_path)


def test_odd_bytes_and_timestamps(tmp_path):
    small = [value for value in RAW if len(value) < 1_000_000]
    check("video_topic", as_records([*small, *(changed(timestamp=text) for text in TIMES)]), tmp_path)


def test_a_line_of_twenty_megabytes_is_read(tmp_path):
    check("video_topic", as_records([changed(note="\\" * 10_000_000)]), tmp_path)


GOOD = envelope(next(r for r in landed(history(1, 50, topics=("video_topic",)))))
BAD_LINES = {
    "no JSON": b"nope",
    "cut short": GOOD[:-20],
    "two in a line": GOOD.strip() + GOOD,
    "no object": b"[1]",
    "another topic": GOOD.replace(b"video_topic", b"auth_topic", 1),
    "no topic": GOOD.replace(b'"topic"', b'"thema"', 1),
    "no partition": GOOD.replace(b'"partition"', b'"p"', 1),
    "a negative offset": GOOD.replace(b'"offset":', b'"offset":-1', 1),
    "no time": GOOD.replace(b'"kafka_timestamp"', b'"t"', 1),
    "an impossible time": GOOD.replace(b"2026-03-01", b"2026-02-30", 1),
    "no value": GOOD.replace(b'"value"', b'"v"', 1),
    "a value that is none": GOOD.split(b'"value":')[0] + b'"value":null}',
    "an offset beyond 64 bits": GOOD.replace(b'"offset":', b'"offset":99999999999999999999', 1),
    "an offset with a fraction": GOOD.replace(b'"offset":', b'"offset":1.', 1),
    "an offset with an exponent": GOOD.replace(b'"offset":', b'"offset":1e1,"o":', 1),
    "an offset as text": GOOD.replace(b'"offset":', b'"offset":"1","o":', 1),
    "an offset that is true": GOOD.replace(b'"offset":', b'"offset":true,"o":', 1),
    "half a character": GOOD.replace(b'"value":{', b'"value":{"x":"\\ud800",', 1),
    "not UTF-8": GOOD.replace(b'"value":{', b'"value":{"x":"\xff",', 1),
    "a zero byte": b"\x00" * 64,
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_spoils_no_other_and_is_found(name, tmp_path):
    path = tmp_path / "raw.json"
    path.write_bytes(GOOD + BAD_LINES[name].strip(b"\n") + b"\n\n" + GOOD.replace(b'"offset":', b'"offset":9', 1))
    con = connect()
    assert load(con, "video_topic", {path: "topic=video_topic/raw.json"}) == 1
    assert con.execute("SELECT count(*) FROM events").fetchall() == [(2,)]
    kept = unreadable_lines(con, "video_topic", {path: "topic=video_topic/raw.json"})
    assert [(line["file"], line["line"]) for line in kept] == [("topic=video_topic/raw.json", 2)]
    assert kept[0]["reason"] in ("not_json", "bad_envelope") and kept[0]["detail"]


def test_bad_lines_are_told_from_blank_ones_and_none_is_lost(tmp_path):
    rng, lines, bad = random.Random(5), [], []
    for number in range(1, 20_001):
        kind = rng.choice(("good", "good", "blank", "bad"))
        offset = b'"offset":%d,' % number
        lines.append({"good": GOOD.strip().replace(GOOD[GOOD.index(b'"offset"') : GOOD.index(b'"kafka')], offset),
                      "blank": rng.choice((b"", b" ", b"\t", b"\r", b"\x0b", b"\x0c")),
                      "bad": rng.choice(list(BAD_LINES.values())).strip(b"\n")}[kind])  # fmt: skip
        bad += [number] * (kind == "bad")
    path = tmp_path / "raw.json"
    path.write_bytes(b"\n".join(lines))
    con = connect()
    assert load(con, "video_topic", {path: "x"}) == len(bad)
    assert [line["line"] for line in unreadable_lines(con, "video_topic", {path: "x"})] == bad


def test_of_lines_with_one_offset_the_first_counts(tmp_path):
    path = tmp_path / "raw.json"
    path.write_bytes(b"".join(GOOD.replace(b'"value":{', b'"value":{"user_id":"U%d",' % n, 1) for n in range(9)))
    con = connect()
    load(con, "video_topic", {path: "x"})
    each_once(con)
    assert con.execute("SELECT user_id FROM events").fetchall() == [("U0",)]


@pytest.mark.parametrize("value", [b"{}", b"[1]", b"5", b'"{}"', b"true"])
def test_a_value_that_is_no_event_is_invalid(value, tmp_path):
    path = tmp_path / "raw.json"
    path.write_bytes(GOOD.split(b'"value":')[0] + b'"value":' + value + b"}\n")
    con = connect()
    assert load(con, "video_topic", {path: "x"}) == 0 and unreadable_lines(con, "video_topic", {path: "x"}) == []
    assert con.execute("SELECT fault IS NOT NULL FROM events").fetchall() == [(True,)]


@pytest.mark.parametrize("suffix", [".json.gz", ".json.zst"])
def test_a_damaged_file_is_named(suffix, tmp_path):
    path = tmp_path / f"raw{suffix}"
    path.write_bytes(b"\x1f\x8b\x08\x00 no such thing" if suffix == ".json.gz" else b"\x28\xb5\x2f\xfd broken")
    with pytest.raises(UnreadableFile, match="raw file 'topic=video_topic/that'"):
        load(connect(), "video_topic", {path: "topic=video_topic/that"})


@pytest.mark.parametrize("left", [1, 6, 60])
def test_a_zst_file_that_ends_too_early_is_named(left, tmp_path):
    whole = tmp_path / "topic=video_topic" / "whole.json.zst"
    whole.parent.mkdir()
    with pa.output_stream(str(whole), compression="zstd") as stream:
        stream.write(GOOD)
    raw = open_store(str(tmp_path))
    assert len(fetch(raw, raw.list(), tmp_path)) == 1
    whole.write_bytes(whole.read_bytes()[:-left])
    with pytest.raises(UnreadableFile, match="raw file 'topic=video_topic/whole.json.zst'"):
        fetch(raw, raw.list("topic="), tmp_path)


@pytest.mark.parametrize("stamp", ["2026-03-01T11:00:00Z", "2026-03-01T11:00:00.0Z", "2026-03-01T11:00:00.000Z",
                                   "2026-03-01T11:00:00.000000Z", "2026-03-01T11:00:00+00:00",
                                   "2026-03-01T18:00:00.000+07:00", "2026-03-01 11:00:00Z"])  # fmt: skip
def test_forms_of_the_time_of_arrival(stamp, tmp_path):
    head, rest = GOOD.split(b'"kafka_timestamp":"')
    path = tmp_path / "raw.json"
    path.write_bytes(head + b'"kafka_timestamp":"' + stamp.encode() + b'"' + rest.split(b'"', 1)[1])
    con = connect()
    assert load(con, "video_topic", {path: "x"}) == 0
    assert con.execute("SELECT strftime(kafka_ts, '%Y-%m-%d %H:%M:%S.%f') FROM events").fetchall() == [
        ("2026-03-01 11:00:00.000000",)
    ]
