"""The vocabulary of the event catalogue: kinds of values, fields, event types and topics."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field's JSON value must be; the text is what people read in documents and errors."""

    UUID = "UUID string"
    IDENTIFIER = "string of 1 to 128 characters"
    TEXT = "string"
    TIMESTAMP = "UTC 'YYYY-MM-DD HH:MM:SS[.ffffff]' or ISO 8601 with 'T' and 'Z' or an offset"
    INTEGER = "integer"
    SCORE = "number from 0 to 100 with at most two decimals"
    NAMES = "non-empty list of non-empty strings"


@dataclass(frozen=True)
class Field:
    """One field of an event.

    `choices`, `minimum` and `maximum` bind only where the field is required. `prefix` names the population that an
    identifier is drawn from (`COURSE` for `COURSE001`); `aliases` are older names, read where the field is missing;
    `fake` makes a believable value for generated events. `is_person` says that the value is a person's id: whoever is
    erased takes along every event that names the person so.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = True
    choices: tuple[str, ...] = ()
    prefix: str = ""
    minimum: int | None = None
    maximum: int | None = None
    aliases: tuple[str, ...] = ()
    fake: Callable[[random.Random], object] | None = None
    is_person: bool = False


@dataclass(frozen=True)
class EventType:
    """One type of event; `weight` is its share of the topic's generated events, `actor` the role that causes it."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    weight: float
    actor: str = "student"
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topic:
    """A category of events and its Kafka topic; `retention_days` is None where events are kept for ever."""

    name: str
    category: str
    partitions: int
    retention_days: int | None
    share: float
    job: str
    event_types: tuple[EventType, ...]


def identifier(name: str, prefix: str, meaning: str, required: bool = True, aliases: tuple[str, ...] = ()) -> Field:
    """An identifier drawn from the population `prefix`."""
    return Field(name, Kind.IDENTIFIER, meaning, required, prefix=prefix, aliases=aliases)


def person(name: str, prefix: str, meaning: str) -> Field:
    """The id of a person, drawn from the population `prefix`."""
    return Field(name, Kind.IDENTIFIER, meaning, prefix=prefix, is_person=True)


def choice(name: str, choices: tuple[str, ...], meaning: str, required: bool = True) -> Field:
    """A string that is one of `choices`."""
    return Field(name, Kind.TEXT, meaning, required, choices, fake=lambda rng: rng.choice(choices))


def text(name: str, meaning: str, fake: Callable[[random.Random], object], required: bool = True) -> Field:
    """A free string."""
    return Field(name, Kind.TEXT, meaning, required, fake=fake)


def count(name: str, meaning: str, top: int, required: bool = True) -> Field:
    """An integer of 0 or more; generated values go up to `top`."""
    return Field(name, Kind.INTEGER, meaning, required, minimum=0, fake=lambda rng: rng.randint(0, top))
