"""Every rule of every event type, derived from the catalogue: a new type or field is covered by being declared."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pyarrow as pa
import pytest

from catalogue.documents import example
from catalogue.events import COMMON, EVENT_TYPES, TOPICS
from catalogue.events.schema import EventType, Field, Kind
from catalogue.sql.dialect import connect
from catalogue.sql.typed_events import fields_of
from catalogue.sql.verdicts import inspect, typed

CON = connect()
ARRIVED = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
TOPIC_OF = {e.name: t for t in TOPICS.values() for e in t.event_types}
WRONG = {
    Kind.UUID: ["", "1", 5, True, {}],
    Kind.IDENTIFIER: ["", "x" * 129, 5, 1.5, True, [], {}, ["x"]],
    Kind.TEXT: [5, 1.5, False, [], {}, ["x"]],
    Kind.TIMESTAMP: ["", "now", "2026-03-01", "2026-02-30 00:00:00", "2026-03-01T00:00:00", 1772352000, [], {}],
    Kind.INTEGER: ["5", 1.5, 1.0, 2**63, -(2**63) - 1, True, [], {}],
    Kind.SCORE: ["85", -0.01, 100.01, 85.555, True, [], {}],
    Kind.NAMES: [[], [""], "name", [5], [None], [["a"]], {}, 5],
}


def table(bodies: list[dict]) -> pa.Table:
    return pa.table(
        {
            "partition": pa.array([0] * len(bodies), pa.int32()),
            "offset": pa.array(range(len(bodies)), pa.int64()),
            "kafka_timestamp": pa.array([ARRIVED] * len(bodies), pa.timestamp("us", "UTC")),
            "value": pa.array([json.dumps(body).encode() for body in bodies], pa.binary()),
        }
    )


def verdicts(event_type: EventType, bodies: list[dict]) -> list[tuple[str | None, str | None]]:
    rows = inspect(CON, TOPIC_OF[event_type.name].name, table(bodies)).to_pylist()
    return [(row["reason"], row["detail"]) for row in rows]


def good(event_type: EventType) -> dict:
    return example(TOPIC_OF[event_type.name], event_type)


def wrong_values(field: Field) -> Iterator[object]:
    yield from WRONG[field.kind]
    if field.choices:
        yield from ("", "nonsense", field.choices[0].upper(), f"{field.choices[0]} ")
    if field.minimum is not None:
        yield field.minimum - 1
    if field.maximum is not None:
        yield field.maximum + 1


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_required_field_that_is_missing_or_wrong_is_named(name):
    event_type = EVENT_TYPES[name]
    body, spoilt, named = good(event_type), [], []
    for field in event_type.fields:
        if field.required:
            lacking = {k: v for k, v in body.items() if k not in (field.name, *field.aliases)}
            variants = [lacking, *(lacking | {field.name: value} for value in (None, *wrong_values(field)))]
            spoilt += variants
            named += [field.name] * len(variants)
    assert verdicts(event_type, [body]) == [(None, None)]
    for (reason, detail), field_name, variant in zip(verdicts(event_type, spoilt), named, spoilt, strict=True):
        assert reason == "bad_field" and detail.startswith(f"{field_name} must be "), variant


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_common_fields_are_checked_in_every_type(name):
    event_type = EVENT_TYPES[name]
    body = good(event_type)
    reasons = {"event_category": "wrong_category", "event_type": "unknown_type", "event_id": "bad_event_id",
               "user_id": "bad_field", "timestamp": "bad_timestamp"}  # fmt: skip
    other = next(t.category for t in TOPICS.values() if t is not TOPIC_OF[name])
    unknown = next(e.name for e in EVENT_TYPES.values() if TOPIC_OF[e.name] is not TOPIC_OF[name])
    cases = [
        ("wrong_category", body | {"event_category": other}),
        ("unknown_type", body | {"event_type": unknown}),
        (None, {k: v for k, v in body.items() if k != "event_id"}),
    ]
    for field in (f for f in COMMON if f.required or f.name == "event_id"):
        cases += [(reasons[field.name], body | {field.name: value}) for value in WRONG[field.kind]]
    found = verdicts(event_type, [spoilt for _, spoilt in cases])
    assert [reason for reason, _ in found] == [reason for reason, _ in cases]


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_optional_field_of_another_type_reads_as_missing(name):
    event_type, topic = EVENT_TYPES[name], TOPIC_OF[name]
    required = {f.name: f for f in event_type.fields if f.required}
    fixed = {*required, "event_id", "event_type", "event_category", "user_id", "timestamp"}
    optional = [f for f in fields_of(topic).values() if f.name not in fixed and not required.keys() & set(f.aliases)]
    cases = []
    for field in optional:
        body = {k: v for k, v in good(event_type).items() if k not in field.aliases}
        cases += [(field.name, body | {field.name: value}) for value in (None, [], {}, True)]
    rows = typed(CON, topic.name, table([body for _, body in cases]), tuple(f.name for f in optional))
    assert rows.num_rows == len(cases)
    for row in rows.to_pylist():
        field_name, body = cases[row["offset"]]
        assert (row["faulty"], row[field_name]) == (False, None), body


def test_older_names_are_read_where_the_present_one_is_missing():
    for event_type in EVENT_TYPES.values():
        body = good(event_type)
        for alias in event_type.aliases:
            assert verdicts(event_type, [body | {"event_type": alias}]) == [(None, None)]
        for field in event_type.fields:
            for alias in field.aliases:
                lacking = {k: v for k, v in body.items() if k != field.name}
                older = [lacking | {alias: "OLD1"}, lacking | {field.name: None, alias: "OLD1"}, body | {alias: "OLD1"}]
                rows = typed(CON, TOPIC_OF[event_type.name].name, table(older), (field.name,)).to_pylist()
                rows.sort(key=lambda row: row["offset"])
                assert [row[field.name] for row in rows] == ["OLD1", "OLD1", body[field.name]]


@pytest.mark.parametrize("topic", TOPICS)
def test_unknown_fields_are_ignored_whatever_they_hold(topic):
    values = (None, 5, "x", [1, {"a": None}], {"user_id": 7})
    bodies = [good(event_type) | {"later": value} for event_type in TOPICS[topic].event_types for value in values]
    assert verdicts(TOPICS[topic].event_types[0], bodies) == [(None, None)] * len(bodies)
