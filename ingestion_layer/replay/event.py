"""Events as the catalogue wants them: one that it would call invalid is never made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from catalogue.events import COMMON, TOPICS
from catalogue.events.schema import EventType, Field, Kind
from catalogue.sql.typed_events import ISO_TIME, PLAIN_TIME, UUID_PATTERN
from ingestion_layer.replay.identity import LONGEST
from ingestion_layer.replay.moments import Clock, stamp
from ingestion_layer.replay.row import Record, Unmapped

Holds = Callable[[Any], bool]
_KINDS: dict[Kind, Holds] = {
    Kind.UUID: lambda v: type(v) is str,
    Kind.IDENTIFIER: lambda v: type(v) is str and 0 < len(v) <= LONGEST,
    Kind.TEXT: lambda v: type(v) is str,
    Kind.TIMESTAMP: lambda v: type(v) is str,
    Kind.INTEGER: lambda v: type(v) is int and -(2**63) <= v < 2**63,
    Kind.SCORE: lambda v: type(v) in (int, float) and 0 <= v <= 100 and round(v, 2) == v,
    Kind.NAMES: lambda v: type(v) is list and bool(v) and all(type(name) is str and name for name in v),
}


def _holds(field: Field) -> Holds:
    kind = _KINDS[field.kind]
    if field.choices:
        return field.choices.__contains__
    low, high = field.minimum, field.maximum
    if low is None and high is None:
        return kind
    return lambda v: kind(v) and (low is None or v >= low) and (high is None or v <= high)


class _Type:
    """What the catalogue says of a type, as quick checks."""

    def __init__(self, topic: str, category: str, event_type: EventType):
        self.topic, self.category = topic, category
        self.required = [(f.name, _holds(f)) for f in event_type.fields if f.required]
        own = {f.name for f in event_type.fields}
        optional = [f for f in event_type.fields if not f.required] + [f for f in COMMON if f.name not in own]
        self.optional = {f.name: _holds(f) for f in optional}


_TYPES = {e.name: _Type(t.name, t.category, e) for t in TOPICS.values() for e in t.event_types}
_person = _KINDS[Kind.IDENTIFIER]


def event(name: str, event_id: str, user: str | None, moment: int, **fields: object) -> Record:
    """An event of type `name` at a moment that a Clock read; fields that are None are left out.

    Optional fields that aren't what the catalogue wants are left out too; Unmapped where a required one isn't.
    """
    known = _TYPES[name]
    if not user or not _person(user):
        raise Unmapped("nobody's")
    for field, holds in known.required:
        value = fields.get(field)
        if value is None:
            raise Unmapped(f"no {field}")
        if not holds(value):
            raise Unmapped(f"its {field} is not what the catalogue wants")
    body: dict[str, object] = {
        "event_id": event_id,
        "event_category": known.category,
        "event_type": name,
        "user_id": user,
        "timestamp": stamp(moment),
    }
    optional = known.optional
    for field, value in fields.items():
        if value is not None and (field not in optional or optional[field](value)):
            body[field] = value
    return known.topic, user.encode(), orjson.dumps(body)


def event_type(record: Record) -> str:
    """The type of an event that `event` made."""
    head = record[2].split(b'"event_type":"', 1)[1]
    return head[: head.index(b'"')].decode()


_ALIASES = {alias: e.name for t in TOPICS.values() for e in t.event_types for alias in e.aliases}
_FIELD_ALIASES = {f.name: f.aliases for t in TOPICS.values() for e in t.event_types for f in e.fields if f.aliases}
_TIME = re.compile(f"{PLAIN_TIME}|{ISO_TIME}")
_UUID = re.compile(UUID_PATTERN)


def is_valid(value: dict[str, Any], clock: Clock) -> bool:
    """Whether the catalogue calls an event valid that arrives now."""
    name = value.get("event_type")
    known = _TYPES.get(_ALIASES.get(name, name)) if isinstance(name, str) else None
    if known is None or value.get("event_category") != known.category or not _person(value.get("user_id")):
        return False
    key, time = value.get("event_id"), value.get("timestamp")
    if not (key is None or isinstance(key, str) and _UUID.fullmatch(key)):
        return False
    if not (isinstance(time, str) and _TIME.fullmatch(time)):
        return False
    try:
        clock.read(time)
    except ValueError:
        return False
    for field, holds in known.required:
        names = (field, *_FIELD_ALIASES.get(field, ()))
        if not holds(next((value[n] for n in names if value.get(n) is not None), None)):
            return False
    return True
