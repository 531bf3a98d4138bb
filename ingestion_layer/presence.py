"""Who is logged in and who is away."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ingestion_layer.clock import DAY, SECOND
from ingestion_layer.event_text import EventText
from ingestion_layer.population import Person, Population, Student, Teacher
from ingestion_layer.session import Session

P = TypeVar("P", bound=Person)
_LATE = 600 * SECOND  # who comes back so soon was not working offline


class Presence:
    """The sessions of students and teachers, and those of both who are `away`.

    `target` is how many students should be logged in just now; `late` the wanted share of events that arrive after one
    that happened later, which come from sessions that were held offline. With `sparse` events, teachers come only where
    there is work for them.
    """

    def __init__(self, people: Population, text: EventText, rng: random.Random, late: float, sparse: bool):
        self.students: list[Session[Student]] = []
        self.teachers: list[Session[Teacher]] = []
        self.away: list[Student] = list(people.students)
        self.target = 1.0
        self._teachers_away = list(people.teachers)
        self._text, self._random = text, rng.random
        self._late, self._late_open, self._sparse = late, 0, sparse

    def student(self) -> Session[Student] | None:
        """A student who is logged in."""
        return self.students[int(self._random() * len(self.students))] if self.students else None

    def several(self, tries: int) -> Iterator[Session[Student]]:
        """Up to `tries` students who are logged in."""
        sessions, rng = self.students, self._random
        if len(sessions) <= tries:
            yield from list(sessions)
            return
        for _ in range(tries):
            yield sessions[int(rng() * len(sessions))]

    def teacher(self, able: Callable[[Teacher], object]) -> Session[Teacher] | None:
        """A teacher who is logged in and `able`."""
        sessions = self.teachers
        for _ in range(min(len(sessions), 6)):
            session = sessions[int(self._random() * len(sessions))]
            if able(session.person):
                return session
        return None

    def next_visitor(self) -> Student | Teacher | None:
        """Somebody to log in: a teacher where too few are in, else a student; taken out of those away."""
        wanted = max(1.0, self.target * 0.08)
        if self._teachers_away and self.students and len(self.teachers) < wanted:
            for attempt in range(6):
                place = int(self._random() * len(self._teachers_away))
                teacher = self._teachers_away[place]
                if teacher.to_view or teacher.to_grade or attempt == 5 and not self._sparse:
                    return _take(self._teachers_away, place)
        return _take(self.away, int(self._random() * len(self.away))) if self.away else None

    def open(self, person: Student | Teacher, now: int) -> Session[Any]:
        """Log somebody in; a student may have done so offline, long ago."""
        shift = 0
        slack = now - person.last - 60 * SECOND
        text = self._text
        wants = text.late_made + 8 * self._late_open < self._late * (text.made + 8 * len(self.students))
        if wants and person.role == "student" and slack > _LATE:
            shift = _LATE + int(self._random() * (min(slack, 3 * DAY) - _LATE))
            self._late_open += 1
        tail = f',"session_id":"{text.identity()}"'
        device = int(self._random() * 2.2)
        session: Session[Any] = Session(person, person.devices[device], tail, now, shift)
        sessions = self._sessions(person)
        session.place = len(sessions)
        sessions.append(session)
        return session

    def leaving(self) -> Session[Any] | None:
        """The one of two sessions that has been open for longer, teachers' included."""
        sessions: list[Session[Any]] = self.students
        both = len(self.students) + len(self.teachers)
        if self.teachers and (not sessions or int(self._random() * both) < len(self.teachers)):
            sessions = self.teachers
        if not sessions:
            return None
        one, other = (sessions[int(self._random() * len(sessions))] for _ in range(2))
        return one if one.last <= other.last else other

    def close(self, session: Session[Any]) -> Session[Any]:
        """End a session; its user is away from now on."""
        sessions = self._sessions(session.person)
        tail = sessions.pop()
        if tail is not session:
            sessions[session.place] = tail
            tail.place = session.place
        self._late_open -= session.shift > 0
        away: list[Any] = self._teachers_away if session.person.role == "teacher" else self.away
        away.append(session.person)
        return session

    def _sessions(self, person: Person) -> list[Session[Any]]:
        return self.teachers if person.role == "teacher" else self.students


def _take(people: list[P], place: int) -> P:
    people[place], people[-1] = people[-1], people[place]
    return people.pop()
