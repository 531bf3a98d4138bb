"""Records as they arrive: what is valid, what is not and why."""

import datetime as dt
import json
from functools import cache
from itertools import product
from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.sql.dialect import connect
from catalogue.sql.verdicts import inspect
from tests.oracle import histories as h
from tests.oracle import validity
from tests.oracle.views import Record

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


@pytest.mark.parametrize(
    "value", [b"", b"nope", b"null", b"[1]", b'{"a":1', b'{"a":1}{"b":2}', b"\xff\xfe", b"[" * 100_000]
)
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


TYPES = [(topic, kind) for topic, (_, types) in validity.RULES.items() for kind in types]
WRONG_FOR_ALL: tuple[object, ...] = (None, True, 5, 1.5, [], {}, ["x"], {"x": 1})
NUMBERS = ("0", "-0", "1", "-1", "1.0", "1e3", "1E0", "0.5", "100", "1e2", "100.0", "100.000", "100.01", "101",
           "-0.0", "-0.01", "85.5", "85.55", "85.550", "85.555", "8.555e1", "8555e-2", "0.07", "64.10",
           "1e400", "0e400", "1e300",
           "-1e300", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
           "85.0000000001", "18446744073709551616",
           "1" * 400, "85." + "0" * 400, "true", '"85"', '"0"')  # fmt: skip


def spoilt(topic: str, kind: str) -> list[bytes]:
    """A good event of the type, and one per required field and wrong value."""
    good = h.event(Random(kind), topic, kind, ARRIVED - dt.timedelta(hours=1))
    rules = {"event_category": "", "event_type": "", "user_id": validity.ID, "timestamp": "",
             **validity.RULES[topic][1][kind]}  # fmt: skip
    bodies = [good]
    for name, rule in rules.items():
        bodies.append({k: v for k, v in good.items() if k != name})
        bodies += [{k: v for k, v in good.items() if k != name} | {name.upper(): good.get(name)}]
        bodies += [
            good | {name: wrong} for wrong in (*WRONG_FOR_ALL, "", "x", "x" * 128, "x" * 129, "é" * 128, "é" * 129)
        ]
        if rule == validity.NAMES:
            lists = (["a"], ["a", "a"], [""], ["a", ""], ["a", None], [5], [["a"]], ["\\"], ['"'], "a")
            bodies += [good | {name: value} for value in lists]
    values = [json.dumps(body).encode() for body in bodies]
    for name, rule in rules.items():
        if rule in (validity.COUNT, validity.INTEGER, validity.SCORE):
            values += [json.dumps(good | {name: "@"}).replace('"@"', number).encode() for number in NUMBERS]
    return values


@pytest.mark.parametrize("topic", validity.RULES)
def test_each_rule_of_each_type(topic):
    values = [value for place, kind in TYPES if place == topic for value in spoilt(topic, kind)]
    check_against_oracle(topic, as_records(values, topic))


DAYS = ("2026-03-01", "2024-02-29", "2026-02-29", "2000-01-01", "1999-12-31", "2026-03-03", "0000-01-01",
        "9999-12-31", "26-03-01", "2026-3-1", "2026-13-01", "2026/03/01")  # fmt: skip
CLOCKS = (" 00:00:00", "T00:00:00", "T23:59:59", " 24:00:00", "T10:60:00", " 10:00:60", " 10:00", "t10:00:00", "",
          "  10:00:00")  # fmt: skip
FRACTIONS = ("", ".5", ".000001", ".9999999", ".123456789", ".1234567890", ".", ",5")
ZONES = ("", "Z", "z", " Z", "+00", "-00:00", "+0530", "+05:30", "-1200", "+14:00", "+05:60", "+5", "+053", " UTC",
         "+05:30:00")  # fmt: skip
TIMES = ["".join(parts) for parts in product(DAYS, CLOCKS, FRACTIONS, ZONES)]


@pytest.mark.parametrize(
    "odd", ["", " ", "now", "epoch", "infinity", "-infinity", "1772352000", "２026-03-01 10:00:00",
            "2026-03-01 10:00:00\n", "\t2026-03-01 10:00:00", "2026-03-01 10:00:00\0",
            "2026-03-01 (BC) 10:00:00"])  # fmt: skip
def test_what_is_no_timestamp(odd):
    assert judge(changed(timestamp=odd))[0]["reason"] == "bad_timestamp"


def test_forms_of_timestamps():
    check_against_oracle("video_topic", as_records([changed(timestamp=text) for text in TIMES]))


IDENTITIES: tuple[object, ...] = (
    "cd613e30-d8f1-4adf-91b7-584a2265b1f5",
    "CD613E30-D8F1-4ADF-91B7-584A2265B1F5",
    "cd613e30d8f14adf91b7584a2265b1f5",
    "{cd613e30-d8f1-4adf-91b7-584a2265b1f5}",
    "cd613e30-d8f1-4adf-91b7-584a2265b1f5 ",
    "cd613e30-d8f1-4adf-91b7-584a2265b1f",
    "cd613e30-d8f1-4adf-91b7-584a2265b1fg",
    "urn:uuid:cd613e30-d8f1-4adf-91b7-584a2265b1f5",
    "cd61-3e30d8f1-4adf-91b7-584a2265b1f5",
    "00000000-0000-0000-0000-000000000000",
    *("", 5, True, [], {}, None),
)


def test_identities():
    check_against_oracle("video_topic", as_records([changed(event_id=value) for value in IDENTITIES]))


GOOD = json.dumps(WATCHED).encode()
RAW = (
    GOOD,
    b" \t\r\n" + GOOD + b"\n\n",
    GOOD.replace(b"user_id", b"user\\u005fid"),
    GOOD.replace(b"SV001", b"\\ud83d\\ude00"),
    GOOD.replace(b"SV001", "😀 ü \u2028 \x7f".encode()),
    GOOD.replace(b"SV001", b"a\\u0000b"),
    GOOD.replace(b"SV001", b"a\\nb\\/c\\\\"),
    GOOD[:-1] + b',"extra":' + b"[" * 500 + b"]" * 500 + b"}",
    GOOD[:-1] + b',"extra":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    GOOD[:-1] + b',"extra":' + b"1" * 5_000 + b"}",
    GOOD[:-1] + b',"extra":[1e999,-1e999]}',
    GOOD[:-1] + b',"extra":"' + b"\\n" * 5_000_000 + b'"}',
    GOOD[:-1] + b"," + b"\n" * 10_000_000 + b'"extra":1}',
    GOOD[:-1] + b',"watch_duration_seconds":-1}',
    GOOD.replace(b"{", b'{"watch_duration_seconds":-1,', 1),
    GOOD[:-1] + b',"user_id":null}',
    GOOD[:-1] + b',"extra":{"user_id":5,"user_id":6},"value":{"topic":"auth_topic"},"offset":9}',
    GOOD[:-1] + b',"USER_ID":5,"":1,"a\\"b":[-0.0e-400,1E+400,123456789012345678901234567890]}',
    json.dumps(WATCHED, separators=("\n,\r\n\t", " \t\r\n:\n ")).encode(),
    # no JSON object
    b"[" * 5_000 + b"]" * 5_000,
    b"{" + GOOD[1:-1] + b",}",
    GOOD[:-1] + b',"extra":NaN}',
    GOOD[:-1] + b',"extra":Infinity}',
    GOOD[:-1] + b',"extra":-inf}',
    GOOD[:-1] + b',"extra":[1,]}',
    GOOD[:-1] + b',"extra":01}',
    GOOD[:-1] + b',"extra":0x1F}',
    GOOD[:-1] + b',"extra":+1}',
    GOOD[:-1] + b',"extra":.5}',
    GOOD[:-1] + b',"extra":1.}',
    GOOD[:-1] + b',"extra":True}',
    GOOD[:-1] + b',"extra":"\\x41"}',
    GOOD[:-1] + b',"extra":"\\ud800"}',
    GOOD[:-1] + b',"extra":"a\tb"}',
    GOOD[:-1] + b',"extra":"a\nb"}',
    GOOD[:-1] + b',"extra":"\xc0\xaf"}',
    GOOD[:-1] + b',"extra":"\xed\xa0\x80"}',
    GOOD[:-1] + b',"extra":"\xf5\x80\x80\x80"}',
    GOOD[:-1] + b',"extra":"\xe4"}',
    GOOD[:-1] + b"/* so */}",
    GOOD[:-1] + b"} // so",
    GOOD[:-1],
    GOOD[:100],
    GOOD + b"x",
    GOOD + b",",
    GOOD + GOOD,
    GOOD + b"\n" + GOOD,
    GOOD + b"\0",
    b"\0" + GOOD,
    b"\xef\xbb\xbf" + GOOD,
    b"\x0b" + GOOD,
    b"\xc2\xa0" + GOOD,
    GOOD.replace(b'"', b"'"),
    GOOD.replace(b'"user_id"', b"user_id"),
    WATCHED.__repr__().encode(),
    json.dumps(json.dumps(WATCHED)).encode(),
    b"[" + GOOD + b"]",
    json.dumps(WATCHED).encode("utf-16"),
    json.dumps(WATCHED).encode("utf-16-le"),
    json.dumps(WATCHED | {"user_id": "Zoë"}, ensure_ascii=False).encode("latin-1"),
    b"\x1f\x8b\x08\x00" + bytes(range(256)),
)


@pytest.mark.parametrize("value", RAW, ids=lambda v: repr(v[-25:]))
def test_raw_bytes(value):
    check_against_oracle("video_topic", as_records([value]))


def test_a_bad_value_spoils_no_other():
    check_against_oracle("video_topic", as_records([value for bad in RAW for value in (bad, GOOD)]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("topic", validity.RULES)
def test_histories(topic, seed):
    check_against_oracle(topic, h.history(seed, 1500, topics=(topic,)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_small_histories(data):
    topic = data.draw(st.sampled_from(sorted(validity.RULES)))
    check_against_oracle(topic, data.draw(h.histories(6, topics=(topic,))))


def test_no_records():
    assert judge() == []


@pytest.mark.parametrize("number", ["85.000000000000000000000001", "100.00000000000000001", "85.0000000000000000000"])
def test_numbers_are_doubles_beyond_their_precision(number):
    """JSON's usual precision: a number stands for its nearest double, so these are 85 and 100 (RFC 8259, section 6)."""
    body = {
        **{k: WATCHED[k] for k in ("event_id", "user_id", "timestamp", "course_id")},
        "event_category": "ASSESSMENT",
        "event_type": "GRADE_ASSIGNMENT",
        "student_id": "SV001",
        "assignment_id": "ASM001",
        "score": "@",
    }
    record = Record("assessment_topic", 0, 0, ARRIVED, json.dumps(body).replace('"@"', number).encode())
    assert inspected("assessment_topic", [record])[0]["reason"] is None
