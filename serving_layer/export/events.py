"""One event as it is exported: what of it is shown to whom, and by which id."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from dataclasses import dataclass, replace
from typing import Any

from catalogue.events import COMMON, EVENT_TYPES
from catalogue.events.exchange import CARRIED
from catalogue.events.schema import EventType, Field, Kind
from serving_layer.identity.sight import Sight, pseudonym_of

# Events that are somebody else's than theirs who caused them: a grade is the student's.
SUBJECT = "student_id"
ABOUT_SUBJECT = ("GRADE_ASSIGNMENT", "ASSIGNMENT_REOPENED")
# Texts that analysts may have; others may say anything of anybody. And what else would tell people apart.
_TOLD = ("event_category", "event_type", "timestamp", "item_type", "notification_type")
_PRIVATE = ("gender", "enrollment_year", "ip_address")


@dataclass(frozen=True)
class Event:
    """An event that counts: its fields as the catalogue names them, when it arrived, and the id it is exported by.

    `told` lacks who is not shown.
    """

    type: EventType
    told: dict[str, Any]
    key: str
    moment: dt.datetime
    arrived: dt.datetime

    @property
    def person(self) -> str:
        """Whose it is."""
        found: str = self.told[SUBJECT if self.type.name in ABOUT_SUBJECT else "user_id"]
        return found

    @property
    def other(self) -> str | None:
        """Who caused it, where that is somebody else."""
        return self.told.get("user_id") if self.type.name in ABOUT_SUBJECT else None

    @property
    def persons(self) -> list[str]:
        """Everybody whom it shows."""
        return [self.told[field.name] for field in fields_of(self.type) if field.is_person and field.name in self.told]


def fields_of(event_type: EventType) -> list[Field]:
    """Every field that an event of the type may have, each once."""
    return list({field.name: field for field in (*COMMON, *event_type.fields)}.values())


def event_of(topic: str, category: str, row: dict[str, Any]) -> Event:
    """The event of a row of typed events: times in UTC, the score in hundredths."""
    known = EVENT_TYPES[row["event_type"]]
    event_id = row["event_id"] and str(row["event_id"])
    told: dict[str, Any] = {"event_id": event_id, "event_category": category, "event_type": known.name}
    for field in fields_of(known):
        value = row.get(field.name)
        if field.name == "timestamp":
            value = row["ts"].isoformat(" ", "microseconds")
        elif field.kind is Kind.SCORE and value is not None:
            value = value / 100 if value % 100 else value // 100
        if value is not None and field.name not in told:
            told[field.name] = value
    told = {name: value for name, value in told.items() if value is not None}
    key = told.get("event_id") or f"{topic} {row['partition']} {row['offset']}"
    return Event(known, told, statement_id(key), row["ts"], row["kafka_ts"])


def statement_id(key: str) -> str:
    """The event's id where it is a UUID that every reader takes, else one that is made of it."""
    if len(key) == 36 and key[14] in "12345678":
        return key
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{CARRIED} {key}"))


def shown(event: Event, sight: Sight) -> Event:
    """What is shown of an event that is: for analysts pseudonyms, and nothing that was written by hand.

    Who sees persons one by one doesn't see those who only did something to them. Where somebody was, those who teach
    and advise don't see: no view tells it to them.
    """
    if sight.pseudonym:
        return _under_pseudonyms(event, sight.key)
    if not sight.column:
        return event
    hidden = set() if sight.own else {"ip_address"}
    if sight.column == "user_id":
        hidden |= {
            field.name
            for field in fields_of(event.type)
            if field.is_person and event.told.get(field.name) not in (None, *sight.values)
        }
    return replace(event, told={name: value for name, value in event.told.items() if name not in hidden})


def _under_pseudonyms(event: Event, key: bytes) -> Event:
    told = {}
    for field in fields_of(event.type):
        value = event.told.get(field.name)
        if value is None or field.name in _PRIVATE:
            continue
        if field.is_person or field.name == "session_id":
            told[field.name] = pseudonym_of(value, key)
        elif field.name in _TOLD or field.choices or field.prefix or field.kind in (Kind.INTEGER, Kind.SCORE):
            told[field.name] = value
    digest = hmac.new(key, f"{CARRIED} {event.key}".encode(), hashlib.sha256).digest()
    name = str(uuid.UUID(bytes=digest[:16], version=5))
    if "event_id" in event.told:
        told["event_id"] = name
    return replace(event, told=told, key=name)
