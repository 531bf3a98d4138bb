"""Events as bytes: their fixed beginnings, identities and times, and the fields that nobody supplied."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from catalogue.events import EVENT_TYPES, TOPICS
from catalogue.events.schema import Field
from ingestion_layer.clock import SECOND
from ingestion_layer.fakes import fake, identities
from ingestion_layer.population import Person, Student
from ingestion_layer.session import Session

Record = tuple[str, bytes, bytes]
_CLOCK = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}." for s in range(86400)]


class EventText:
    """Writes events, and counts them: `made`, and `late_made` of those that happened before an earlier one.

    `supplied` names the fields of each event type that come with the `tail` of an event, as JSON members with a comma
    in front; the others are filled from the catalogue.
    """

    def __init__(self, rng: random.Random, supplied: Mapping[str, frozenset[str]]):
        self.made = self.late_made = 0
        self._rng, self._newest = rng, 0
        self._ids, self._id_place = "", 0
        self._days: dict[int, str] = {}
        self._forms: dict[str, tuple[str, str, tuple[Field, ...]]] = {}
        for topic in TOPICS.values():
            for kind in topic.event_types:
                head = f'{{"event_category":"{topic.category}","event_type":"{kind.name}","event_id":"'
                given = supplied.get(kind.name, frozenset()) | {"role"}
                self._forms[kind.name] = topic.name, head, tuple(f for f in kind.fields if f.name not in given)

    def write(self, name: str, session: Session[Any], now: int, tail: str) -> Record:
        """An event of a session."""
        self.made += 1
        moment = now - session.shift
        session.last, session.person.last = now, moment
        if moment > self._newest:
            self._newest = moment
        elif session.shift:
            self.late_made += 1
        topic, head, rest = self._forms[name]
        if rest:
            tail += self._rest(rest, session)
        text = f'{head}{self.identity()}","timestamp":"{self.stamp(moment)}",{session.who}{tail}}}'
        return topic, session.person.key, text.encode()

    def write_alone(self, name: str, person: Person, now: int, tail: str) -> Record:
        """An event of somebody outside any session."""
        person.last = max(person.last, now)
        return self._outside(name, person, now, person.devices[int(self._rng.random() * 2)], tail)

    def write_plain(self, name: str, person: Person, now: int, tail: str) -> Record:
        """An event that happens to somebody, who needs no device for it."""
        return self._outside(name, person, now, f'"user_id":"{person.id}","role":"{person.role}"', tail)

    def stamp(self, moment: int) -> str:
        """'YYYY-MM-DD HH:MM:SS.ffffff' in UTC of microseconds since 1970."""
        second, micro = divmod(moment, SECOND)
        day, second = divmod(second, 86400)
        text = self._days.get(day)
        if text is None:
            text = self._days[day] = f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d} "
        return f"{text}{_CLOCK[second]}{micro:06}"

    def identity(self) -> str:
        """The next UUID."""
        place = self._id_place
        if place >= len(self._ids):
            self._ids, place = identities(self._rng), 0
        self._id_place = place + 36
        return self._ids[place : place + 36]

    def _outside(self, name: str, person: Person, now: int, who: str, tail: str) -> Record:
        self.made += 1
        self._newest = now
        topic, head, rest = self._forms[name]
        if rest:
            tail += self._rest(rest, None)
        return topic, person.key, f'{head}{self.identity()}","timestamp":"{self.stamp(now)}",{who}{tail}}}'.encode()

    def _rest(self, fields: tuple[Field, ...], session: Session[Any] | None) -> str:
        values: dict[str, object] = {}
        person = session.person if session else None
        for field in fields:
            if field.required or self._rng.random() < 0.8:
                if field.name == "session_id":
                    values[field.name] = session.tail[15:-1] if session else self.identity()
                elif field.prefix == "COURSE" and isinstance(person, Student) and person.enrolments:
                    place = int(self._rng.random() * len(person.enrolments))
                    values[field.name] = person.enrolments[place].course.id
                else:
                    values[field.name] = fake(field, self._rng)
        return "," + orjson.dumps(values).decode()[1:-1] if values else ""


def field_of(event_type: str, name: str) -> Field:
    """A field of an event type."""
    return next(f for f in EVENT_TYPES[event_type].fields if f.name == name)
