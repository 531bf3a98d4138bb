"""What the oracle's views are made of: events that count once, and how rows are counted, with exact integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.oracle.validity import Event, Invalid, judge

HORIZON = timedelta(days=7)
MOST = 2**63 - 1
Row = dict[str, object]


class Record(NamedTuple):
    """A raw event as Kafka holds it; `kafka_timestamp` is aware, in UTC."""

    topic: str
    partition: int
    offset: int
    kafka_timestamp: datetime
    value: bytes


class Unique(NamedTuple):
    """What became of one topic's records: the events that count, and the ledger by partition."""

    events: list[Event]
    ledger: dict[int, Counter]


def count_once(topic: str, records: Iterable[Record]) -> Unique:
    """The topic's valid events, each identity once within the horizon, in the order of offset and partition."""
    lines = {(r.offset, r.partition): r for r in records if r.topic == topic}
    sightings: dict[str, datetime] = {}
    events: list[Event] = []
    ledger: dict[int, Counter] = {}
    for _, record in sorted(lines.items()):
        entry = ledger.setdefault(record.partition, Counter(landed=0, counted=0, duplicate=0, invalid=0))
        entry["landed"] += 1
        try:
            event = judge(topic, record.kafka_timestamp, record.value)
        except Invalid:
            entry["invalid"] += 1
            continue
        before = sightings.get(event.event_id) if event.event_id else None
        if event.event_id:
            sightings[event.event_id] = record.kafka_timestamp
        if before is not None and record.kafka_timestamp - before <= HORIZON:
            entry["duplicate"] += 1
        else:
            entry["counted"] += 1
            events.append(event)
    return Unique(events, ledger)


def value_of(event: Event, name: str) -> object:
    """A key column's value."""
    match name:
        case "date":
            return event.ts.date()
        case "hour":
            return event.ts.hour
        case "event_type":
            return event.type
        case "user_id":
            return event.user_id
    return event.fields.get(name)


def of(events: Iterable[Event], *types: str) -> list[Event]:
    """The events of some types."""
    return [e for e in events if e.type in types]


def distinct(events: Iterable[Event], name: str) -> int:
    """Number of different values, NULL not counted."""
    return len({value_of(e, name) for e in events} - {None})


def times(events: list[Event], first: str, last: str) -> Row:
    """The earliest and the latest instant, as two columns."""
    return {first: min(e.ts for e in events), last: max(e.ts for e in events)}


def percentage(part: int, whole: int) -> float | None:
    """Percent with two decimals, half up; None of nothing."""
    return (20_000 * part + whole) // (2 * whole) / 100 if whole else None


def total(numbers: Iterable[int]) -> int:
    """The sum as it is published: in 64 bits, so that a greater one stays at the greatest number."""
    return min(sum(numbers), MOST)


def by(events: Iterable[Event], key: str, columns: Callable[[list[Event]], Row | None]) -> list[Row]:
    """One row per value of the key columns; no row where `columns` gives None."""
    names = key.split()
    groups: dict[tuple, list[Event]] = {}
    for event in events:
        groups.setdefault(tuple(value_of(event, n) for n in names), []).append(event)
    made = ((dict(zip(names, values, strict=True)), columns(group)) for values, group in groups.items())
    return [head | row for head, row in made if row is not None]


def weeks(events: list[Event], amount: Callable[[Event], int]) -> tuple[int, int]:
    """What the last seven days with the last event amount to, and the seven days before those."""
    last = max(e.ts.date() for e in events)
    ago = [((last - e.ts.date()).days // 7, amount(e)) for e in events]
    return total(n for week, n in ago if week == 0), total(n for week, n in ago if week == 1)
