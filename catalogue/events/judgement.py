"""The rules that topics, event types and fields must keep; `catalogue.events` applies them when it is imported."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from catalogue.declarations import CONSTANT, IDENTIFIER, listed, repeated
from catalogue.events.fields import COMMON, ROLES
from catalogue.events.schema import EventType, Field, Kind, Topic

# What typed events have beside their fields (`catalogue.sql.typed_events`).
TYPED_COLUMNS = ("partition", "offset", "kafka_ts", "fault", "ts", "date", "hour")
# Common fields whose meaning no event type can change.
FIXED = ("event_id", "event_category", "event_type", "user_id", "timestamp", "schema_version")


def faults(topics: Sequence[Topic]) -> Iterator[str]:
    """Every fault of the catalogue's topics, in words."""
    for name in repeated(t.name for t in topics):
        yield f"topic '{name}': name must stand once; got it repeated"
    for name in repeated(t.category for t in topics):
        yield f"category '{name}': must belong to one topic; got several"
    types = [e for t in topics for e in t.event_types]
    for name in repeated([*(e.name for e in types), *(alias for e in types for alias in e.aliases)]):
        yield f"event type '{name}': name must stand once, older names included; got it repeated"
    yield from _share_faults("topics: shares", [t.share for t in topics])
    for topic in topics:
        yield from _topic_faults(topic)


def _share_faults(who: str, shares: Sequence[float]) -> Iterator[str]:
    if any(share <= 0 for share in shares) or not math.isclose(sum(shares), 1):
        yield f"{who} must be above 0 and sum to 1; got {sum(shares):g}"


def _topic_faults(topic: Topic) -> Iterator[str]:
    who = f"topic '{topic.name}':"
    if not IDENTIFIER.fullmatch(topic.name):
        yield f"{who} name must be of small letters, digits and _; got '{topic.name}'"
    if not CONSTANT.fullmatch(topic.category):
        yield f"{who} category must be of capitals, digits and _; got '{topic.category}'"
    if not IDENTIFIER.fullmatch(topic.job):
        yield f"{who} job must be of small letters, digits and _; got '{topic.job}'"
    if topic.partitions < 1:
        yield f"{who} partitions must be 1 or more; got {topic.partitions}"
    if topic.retention_days is not None and topic.retention_days < 1:
        yield f"{who} retention_days must be 1 or more, or None; got {topic.retention_days}"
    yield from _share_faults(f"{who} weights of its event types", [e.weight for e in topic.event_types])
    kinds = {f.name: (f.kind, "every event") for f in COMMON}
    for event_type in topic.event_types:
        yield from _type_faults(event_type)
        for field in event_type.fields:
            kind, place = kinds.setdefault(field.name, (field.kind, event_type.name))
            if kind is not field.kind:
                yield (
                    f"event type '{event_type.name}': field '{field.name}' must be of kind {kind.name} "
                    f"as in {place}; got {field.kind.name}"
                )


def _type_faults(event_type: EventType) -> Iterator[str]:
    who = f"event type '{event_type.name}':"
    if not CONSTANT.fullmatch(event_type.name):
        yield f"{who} name must be of capitals, digits and _; got '{event_type.name}'"
    if not event_type.meaning.endswith("."):
        yield f"{who} meaning must be a sentence; got '{event_type.meaning}'"
    if event_type.actor not in ROLES:
        yield f"{who} actor must be one of {listed(ROLES)}; got '{event_type.actor}'"
    names = [name for f in event_type.fields for name in (f.name, *f.aliases)]
    for name in repeated(names):
        yield f"{who} field '{name}' must stand once, older names included; got it repeated"
    for field in event_type.fields:
        yield from (f"{who} field '{field.name}': {fault}" for fault in _field_faults(field))


def _field_faults(field: Field) -> Iterator[str]:
    if not IDENTIFIER.fullmatch(field.name):
        yield f"name must be of small letters, digits and _; got '{field.name}'"
    if field.name in (*TYPED_COLUMNS, *FIXED):
        yield f"name must be none of {listed((*TYPED_COLUMNS, *FIXED))}; got '{field.name}'"
    if not field.meaning.endswith("."):
        yield f"meaning must be a sentence; got '{field.meaning}'"
    if field.choices and field.kind is not Kind.TEXT:
        yield f"choices must be of a TEXT; got {field.kind.name}"
    if (field.minimum, field.maximum) != (None, None) and field.kind is not Kind.INTEGER:
        yield f"minimum and maximum must be of an INTEGER; got {field.kind.name}"
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        yield f"minimum must be at most maximum; got {field.minimum} above {field.maximum}"
    if field.required and field.fake is None and field.kind is not Kind.IDENTIFIER:
        yield "fake must make a value, as it is required; got None"
