"""Records as they arrive: what is valid, what is not and why."""

import datetime as dt
import json
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalogue.sql.judging import (
    ARRIVED,
    WATCHED,
    as_records,
    changed,
    check_against_oracle,
    inspected,
    judge,
)
from tests.oracle import histories as h
from tests.oracle import validity
from tests.oracle.counting import Record


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
