"""Records as they arrive: what is valid, what is not and why."""

import datetime as dt
import json

import pyarrow as pa
import pytest

from catalogue.inspection import connect, inspect

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


def judge(*values: bytes) -> list[dict]:
    records = pa.table(
        {
            "partition": pa.array([0] * len(values), pa.int32()),
            "offset": pa.array(range(len(values)), pa.int64()),
            "kafka_timestamp": pa.array([ARRIVED] * len(values), pa.timestamp("us", "UTC")),
            "value": pa.array(values, pa.binary()),
        }
    )
    return inspect(connect(), "video_topic", records).to_pylist()


def changed(**fields) -> bytes:
    return json.dumps({**WATCHED, **fields}).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"event_id": None},
        {"user_id": "é" * 128},
        {"session_id": 5},
        {"role": "guest"},
        {"timestamp": "2026-03-01T10:00:00+0530"},
        {"timestamp": "2026-03-01T10:00:00.123456789Z"},
        {"timestamp": "2026-03-03 00:00:00"},
        {"unknown": {"nested": [1]}},
    ],
)
def test_valid(fields):
    assert judge(changed(**fields))[0]["reason"] is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"event_category": "AUTH"}, "wrong_category"),
        ({"event_type": "LOGIN"}, "unknown_type"),
        ({"event_id": "x"}, "bad_event_id"),
        ({"user_id": 5}, "bad_field"),
        ({"user_id": ""}, "bad_field"),
        ({"user_id": "a" * 129}, "bad_field"),
        ({"video_id": None}, "bad_field"),
        ({"watch_duration_seconds": -1}, "bad_field"),
        ({"watch_duration_seconds": 1.0}, "bad_field"),
        ({"watch_duration_seconds": "5"}, "bad_field"),
        ({"watch_duration_seconds": 10**30}, "bad_field"),
        ({"timestamp": "2026-02-30 10:00:00"}, "bad_timestamp"),
        ({"timestamp": "2026-03-01T10:00:00"}, "bad_timestamp"),
        ({"timestamp": "1999-12-31 23:59:59"}, "timestamp_out_of_range"),
        ({"timestamp": "2026-03-03 00:00:00.000001"}, "timestamp_out_of_range"),
    ],
)
def test_invalid(fields, reason):
    row = judge(changed(**fields))[0]
    assert (row["reason"], row["parseable"]) == (reason, True)


@pytest.mark.parametrize("value", [b"", b"nope", b"null", b"[1]", b'{"a":1', b'{"a":1}{"b":2}', b"\xff\xfe", b"[" * 100_000])
def test_no_object_has_no_line(value):
    row = judge(value)[0]
    assert row["line"] is None and not row["parseable"] and row["reason"] in {"not_utf8", "not_an_object"}


def test_the_line_keeps_the_bytes_but_for_line_breaks():
    value = json.dumps({**WATCHED, "note": "xưa\n"}, indent=1, ensure_ascii=False)
    row = judge(b"nope", value.encode())[1]
    assert row["line"] == (
        '{"topic":"video_topic","partition":0,"offset":1,"kafka_timestamp":"2026-03-02T00:00:00.000Z","value":'
        + value.replace("\n", " ")
        + "}"
    )


def test_a_value_of_ten_megabytes():
    assert judge(changed(note="a" * 10_000_000))[0]["reason"] is None
