"""A university at work: which event happens next, to whom, and its bytes.

Types are dealt from decks, so that their shares hold in every stretch of the stream. Where the dealt type could not
have happened, another one happens in its place and the debt is settled later.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from catalogue.events import EVENT_TYPES, TOPICS
from catalogue.events.schema import EventType, Field, Topic
from ingestion_layer.clock import DAY, SECOND, Schedule, WallClock, before_deadline
from ingestion_layer.decks import dealt
from ingestion_layer.fakes import fake, identities
from ingestion_layer.population import Person, Population, Student
from ingestion_layer.scripts import ALWAYS, INSTEAD, SCRIPTS, SUPPLIED
from ingestion_layer.session import Session

Record = tuple[str, bytes, bytes]

_YIELDS_TO_SUBMITTING = frozenset(("QUIZ_STARTED", "VIEW_STUDENT_WORK", "GRADE_ASSIGNMENT"))
_MOST_DEBTS = 256
_SESSION_SECONDS = 1800
_CLOCK = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}." for s in range(86400)]


class Simulation:
    """Endless events of a population; `late` is the wanted share of events that arrive after one that happened later."""

    def __init__(
        self, people: Population, clock: Schedule | WallClock, seed: str, late: float = 0.0, events: int | None = None
    ):
        self.people, self._clock, self._late = people, clock, late
        self._rng = random.Random(seed)
        self._random = self._rng.random
        self._limit = (
            max(2, len(people.students) // 3)
            if events is None
            else max(2, min(len(people.students) // 3, events // 60))
        )
        self.away: list[Person] = list(people.students)
        self._teachers_away: list[Any] = list(people.teachers)
        self._sessions: dict[str, list[Session]] = {"student": [], "teacher": []}
        self._students, self._teachers = self._sessions["student"], self._sessions["teacher"]
        self.signed_up: deque = deque()
        self.profiled: deque = deque()
        self.news: deque = deque(maxlen=1000)
        self.notifications = 0
        self.session_tail = ""
        self.made = self.late_made = self._late_open = self._newest = 0
        self._ids = ""
        self._id_place = 0
        self._days: dict[int, str] = {}
        self._target = 1.0
        self._control = 0
        self._forms = {e.name: _form(t, e) for t in TOPICS.values() for e in t.event_types}
        self.assignment_types = _field("ASSIGNMENT_CREATED", "assignment_type").choices
        self.notification_type = _field("NOTIFICATION_SENT", "notification_type")
        self._chains = {name: self._chain(name) for name in EVENT_TYPES}

    def records(self) -> Iterator[Record]:
        """Topic, key and value of one event after the other, for ever."""
        deal, sparse = dealt(self._rng).__next__, self._clock.sparse
        ahead: Counter[str] = Counter()
        behind: deque[str] = deque()
        last = 0
        for moment in self._clock.moments():
            now = moment
            if sparse:
                pause = 1 + int(self._rng.expovariate(1 / 75) * SECOND)
                now = last + pause if self._students or self._teachers else max(moment, last + pause)
            last = now = max(now, last + 1)
            if self.made >= self._control:
                self._control = self.made + 64
                self._target = min(self._limit, max(1.0, self._clock.rate(now) * _SESSION_SECONDS / 15))
                rush = before_deadline(now)
            name = wanted = deal()
            if rush and name in _YIELDS_TO_SUBMITTING and self._random() < 0.5:
                name = "SUBMIT_ASSIGNMENT"
            elif ahead[name] and not rush:
                ahead[name] -= 1
                name = wanted = behind.popleft()
            elif name == "LOGIN" and len(self._students) > self._target * 1.2:
                name = wanted = "LOGOUT"
            elif name == "LOGOUT" and len(self._students) < self._target * 0.8 and (sparse or self._random() < 0.5):
                name = wanted = "LOGIN"
            for candidate, make in self._chains[name]:
                record = make(now)
                if record:
                    happened = candidate
                    break
            else:
                raise RuntimeError(f"simulation: some event must be possible; got none for {name}")
            if happened != wanted and len(behind) < _MOST_DEBTS:
                ahead[happened] += 1
                behind.append(wanted)
            self.made += 1
            yield record

    def _chain(self, name: str) -> list:
        names = [name]
        while names[-1] in INSTEAD:
            names.append(INSTEAD[names[-1]])
        names += [n for n in ALWAYS if n not in names]
        return [(n, self._maker(n)) for n in names if n in EVENT_TYPES]

    def _maker(self, name: str):
        script = SCRIPTS.get(name)
        return partial(script, self) if script else partial(self._generic, name)

    def _generic(self, name: str, now: int) -> Record | None:
        """An event of a type without a script, by somebody of its actor's role."""
        actor = EVENT_TYPES[name].actor
        if actor == "admin":
            return self.write_alone(name, self.people.admins[0], now, "")
        sessions = self._teachers if actor == "teacher" else self._students
        return self.write(name, self.choose(sessions), now, "") if sessions else None

    def below(self, limit: int) -> int:
        """A random integer from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def choose(self, things):
        """One of `things` at random."""
        return things[int(self._random() * len(things))]

    def fake(self, field: Field) -> object:
        """A believable value of a field."""
        return fake(field, self._rng)

    def student_session(self) -> Session | None:
        """A student who is logged in."""
        return self._students[int(self._random() * len(self._students))] if self._students else None

    def several(self, tries: int) -> Iterator[Session]:
        """Up to `tries` students who are logged in."""
        sessions, rng = self._students, self._random
        if len(sessions) <= tries:
            yield from list(sessions)
            return
        for _ in range(tries):
            yield sessions[int(rng() * len(sessions))]

    def teacher_session(self, able) -> Session | None:
        """A teacher who is logged in and `able`."""
        sessions = self._teachers
        for _ in range(min(len(sessions), 6)):
            session = sessions[int(self._random() * len(sessions))]
            if able(session.person):
                return session
        return None

    def enrolment(self, student) -> list:
        """One of the student's enrolments; who is logged in has some."""
        enrolments = student.enrolments
        return enrolments[int(self._random() * len(enrolments))]

    def next_visitor(self, now: int) -> Person | None:
        """Somebody to log in: a teacher where too few are in, else a student; taken out of those away."""
        wanted = max(1.0, self._target * 0.08)
        if self._teachers_away and self._students and len(self._teachers) < wanted:
            for attempt in range(6):
                place = self.below(len(self._teachers_away))
                teacher = self._teachers_away[place]
                if teacher.to_view or teacher.to_grade or attempt == 5 and not self._clock.sparse:
                    return _take(self._teachers_away, place)
        return _take(self.away, self.below(len(self.away))) if self.away else None

    def open_session(self, person: Person, now: int) -> Session:
        """Log somebody in; a student may have done so offline, long ago."""
        shift = 0
        slack = now - person.last - 60 * SECOND
        wants = self.late_made + 8 * self._late_open < self._late * (self.made + 8 * len(self._students))
        if wants and person.role == "student" and slack > 600 * SECOND:
            shift = 600 * SECOND + int(self._random() * (min(slack, 3 * DAY) - 600 * SECOND))
            self._late_open += 1
        self.session_tail = f',"session_id":"{self._identity()}"'
        device = int(self._random() * 2.2)
        session = Session(person, person.devices[device], self.session_tail, now, shift)
        sessions = self._sessions[person.role]
        session.place = len(sessions)
        sessions.append(session)
        return session

    def leaving(self) -> Session | None:
        """The one of two sessions that has been open for longer, teachers' included."""
        sessions = self._students
        if self._teachers and (not sessions or self.below(len(sessions) + len(self._teachers)) < len(self._teachers)):
            sessions = self._teachers
        if not sessions:
            return None
        one, other = self.choose(sessions), self.choose(sessions)
        return one if one.last <= other.last else other

    def close_session(self, session: Session) -> Session:
        """End a session; its user is away from now on."""
        sessions = self._sessions[session.person.role]
        tail = sessions.pop()
        if tail is not session:
            sessions[session.place] = tail
            tail.place = session.place
        self._late_open -= session.shift > 0
        (self._teachers_away if session.person.role == "teacher" else self.away).append(session.person)
        return session

    def write(self, name: str, session: Session, now: int, tail: str) -> Record:
        """An event of a session."""
        moment = now - session.shift
        session.last, session.person.last = now, moment
        if moment > self._newest:
            self._newest = moment
        elif session.shift:
            self.late_made += 1
        topic, head, rest = self._forms[name]
        if rest:
            tail += self._rest(rest, session)
        text = f'{head}{self._identity()}","timestamp":"{self.stamp(moment)}",{session.who}{tail}}}'
        return topic, session.person.key, text.encode()

    def write_alone(self, name: str, person: Person, now: int, tail: str) -> Record:
        """An event of somebody outside any session."""
        person.last = max(person.last, now)
        return self._outside(name, person, now, person.devices[self.below(2)], tail)

    def write_plain(self, name: str, person: Person, now: int, tail: str) -> Record:
        """An event that happens to somebody, who needs no device for it."""
        return self._outside(name, person, now, f'"user_id":"{person.id}","role":"{person.role}"', tail)

    def _outside(self, name: str, person: Person, now: int, who: str, tail: str) -> Record:
        self._newest = now
        topic, head, rest = self._forms[name]
        if rest:
            tail += self._rest(rest, None)
        return topic, person.key, f'{head}{self._identity()}","timestamp":"{self.stamp(now)}",{who}{tail}}}'.encode()

    def stamp(self, moment: int) -> str:
        """'YYYY-MM-DD HH:MM:SS.ffffff' in UTC of microseconds since 1970."""
        second, micro = divmod(moment, SECOND)
        day, second = divmod(second, 86400)
        text = self._days.get(day)
        if text is None:
            text = self._days[day] = f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d} "
        return f"{text}{_CLOCK[second]}{micro:06}"

    def _identity(self) -> str:
        place = self._id_place
        if place >= len(self._ids):
            self._ids, place = identities(self._rng), 0
        self._id_place = place + 36
        return self._ids[place : place + 36]

    def _rest(self, fields: tuple[Field, ...], session: Session | None) -> str:
        values: dict[str, object] = {}
        for field in fields:
            if field.required or self._random() < 0.8:
                if field.name == "session_id":
                    values[field.name] = session.tail[15:-1] if session else self._identity()
                elif (
                    field.prefix == "COURSE"
                    and session
                    and isinstance(session.person, Student)
                    and session.person.enrolments
                ):
                    values[field.name] = self.choose(session.person.enrolments)[0].id
                else:
                    values[field.name] = fake(field, self._rng)
        return "," + orjson.dumps(values).decode()[1:-1] if values else ""


def _field(event_type: str, name: str) -> Field:
    return next(f for f in EVENT_TYPES[event_type].fields if f.name == name)


def _take(people: list[Any], place: int) -> Any:
    people[place], people[-1] = people[-1], people[place]
    return people.pop()


def _form(topic: Topic, event_type: EventType) -> tuple[str, str, tuple[Field, ...]]:
    head = f'{{"event_category":"{topic.category}","event_type":"{event_type.name}","event_id":"'
    supplied = SUPPLIED.get(event_type.name, frozenset()) | {"role"}
    return topic.name, head, tuple(f for f in event_type.fields if f.name not in supplied)
