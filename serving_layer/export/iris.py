"""Identifiers of ours as IRIs, which other standards ask for: different ones stay different."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

from catalogue.events.exchange import NAMESPACE
from catalogue.events.schema import EventType, Kind

_IRI = re.compile(r"(?:https?://|urn:)[^\s<>\"{}|\\^`]+")
# What names where or in which session something happened, not what it happened to.
_AROUND = {"course_id", "session_id", "related_object_id"}


def iri(kind: str, name: str) -> str:
    """An identifier that is an IRI as it is; of another one, an IRI that has it in full."""
    if _IRI.fullmatch(name) and name.isprintable() and not name.startswith(NAMESPACE):
        return name
    return f"{NAMESPACE}{kind}:{quote(name, safe='')}"


def own_word(kind: str, event_type: EventType) -> str:
    """A word of our own for what a type says, where a standard has none."""
    return f"{NAMESPACE}{kind}:{event_type.name.lower().replace('_', '-')}"


def thing_of(event_type: EventType, told: dict[str, Any]) -> tuple[str, str]:
    """What it happened to: its kind and its IRI; the course, or else this platform, where nothing smaller is named."""
    for field in event_type.fields:
        if field.kind is Kind.IDENTIFIER and not field.is_person and field.name in told.keys() - _AROUND:
            kind = field.name.removesuffix("_id")
            return kind, iri(kind, told[field.name])
    if "course_id" in told:
        return "course", iri("course", told["course_id"])
    return "platform", f"{NAMESPACE}platform"


def instant(moment: dt.datetime, timespec: str = "microseconds") -> str:
    """A moment in UTC as ISO 8601."""
    return f"{moment.isoformat(timespec=timespec)}Z"
