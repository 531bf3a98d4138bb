"""What is wrong with an event of ours as it arrives: the reasons are those by which ingestion would quarantine it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from catalogue.events import TOPICS
from catalogue.events.schema import Field, Kind, Topic
from catalogue.sql.typed_events import EARLIEST, ISO_TIME, PLAIN_TIME, UUID_PATTERN

_TOPIC_OF = {topic.category: topic for topic in TOPICS.values()}
_UUID, _PLAIN, _ISO = re.compile(UUID_PATTERN, re.A), re.compile(PLAIN_TIME, re.A), re.compile(ISO_TIME, re.A)
_FRACTION, _ZONE = re.compile(r"(\.\d{6})\d+"), re.compile(r"([+-]\d\d)(\d\d)$")
_FIRST = datetime.fromisoformat(EARLIEST).replace(tzinfo=UTC)
_DAY = timedelta(days=1)
Holds = Callable[[Any], bool]


class Fault(NamedTuple):
    """What is wrong: ingestion's reason, the field, and a sentence."""

    reason: str
    field: str
    detail: str


def topic_of(event: dict[str, Any]) -> Topic | None:
    """The topic of an event's category."""
    category = event.get("event_category")
    return _TOPIC_OF.get(category) if isinstance(category, str) else None


def fault(event: dict[str, Any], now: datetime) -> Fault | None:
    """The first fault of an event that arrives now; None where it is valid."""
    topic = topic_of(event)
    if topic is None:
        return Fault("wrong_category", "event_category", f"event_category must be one of {', '.join(_TOPIC_OF)}")
    names = _NAMES[topic.name]
    name = event.get("event_type")
    required = names.get(name) if isinstance(name, str) else None
    if required is None:
        return Fault("unknown_type", "event_type", f"event_type must be one of {', '.join(names)}")
    key = event.get("event_id")
    if key is not None and not (isinstance(key, str) and _UUID.fullmatch(key)):
        return Fault("bad_event_id", "event_id", f"event_id must be a {Kind.UUID.value}")
    if not _is_identifier(event.get("user_id")):
        return Fault("bad_field", "user_id", f"user_id must be a {Kind.IDENTIFIER.value}")
    moment = _moment(event.get("timestamp"))
    if moment is None:
        return Fault("bad_timestamp", "timestamp", f"timestamp must be {Kind.TIMESTAMP.value}")
    if not _FIRST <= moment <= now + _DAY:
        wanted = f"timestamp must be from {EARLIEST} to one day after arrival in Kafka"
        return Fault("timestamp_out_of_range", "timestamp", wanted)
    for field, holds in required:
        value = event.get(field.name)
        if value is None:
            value = next((event[older] for older in field.aliases if event.get(older) is not None), None)
        if value is None or not holds(value):
            return Fault("bad_field", field.name, f"{field.name} must be {_expected(field)}")
    return None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if _PLAIN.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if _ISO.fullmatch(value):
            return datetime.fromisoformat(_ZONE.sub(r"\1:\2", _FRACTION.sub(r"\1", value)))
    except ValueError:
        pass
    return None


def _is_identifier(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128


def _is_integer(low: int | None, high: int | None, value: object) -> bool:
    return (
        type(value) is int
        and -(2**63) <= value < 2**63
        and (low is None or value >= low)
        and (high is None or value <= high)
    )


def _is_score(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 100 and round(value, 2) == value


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) and name for name in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _holds(field: Field) -> Holds:
    if field.choices:
        return partial(_is_choice, field.choices)
    match field.kind:
        case Kind.INTEGER:
            return partial(_is_integer, field.minimum, field.maximum)
        case Kind.IDENTIFIER:
            return _is_identifier
        case Kind.SCORE:
            return _is_score
        case Kind.NAMES:
            return _are_names
        case _:
            return _is_text


def _is_choice(choices: tuple[str, ...], value: object) -> bool:
    return value in choices


def _expected(field: Field) -> str:
    choices = f"one of {', '.join(field.choices)}" if field.choices else field.kind.value
    return choices + (f" >= {field.minimum}" if field.minimum is not None else "")


# Of each topic's event types, older names included, the fields that must be there.
_NAMES: dict[str, dict[str, list[tuple[Field, Holds]]]] = {
    topic.name: {
        name: [(field, _holds(field)) for field in kind.fields if field.required]
        for kind in topic.event_types
        for name in (kind.name, *kind.aliases)
    }
    for topic in TOPICS.values()
}
