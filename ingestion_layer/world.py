"""The world that scripts act in: its people, who of them is present, what waits, and how an event is written."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeVar

from catalogue.events.schema import Field
from ingestion_layer.event_text import EventText, Record, field_of
from ingestion_layer.fakes import fake
from ingestion_layer.population import Enrolment, Person, Population, Student
from ingestion_layer.presence import Presence

__all__ = ["Record", "World"]

T = TypeVar("T")


class World:
    """What a script gets. `signed_up` have no profile yet, `profiled` no course; `news` are (student, kind, about).

    `write`, `write_alone` and `write_plain` make an event of a session, of somebody outside any, and of somebody to
    whom it happens; `several`, `student_session` and `teacher_session` find who is logged in.
    """

    def __init__(
        self, people: Population, rng: random.Random, supplied: Mapping[str, frozenset[str]], late: float, sparse: bool
    ):
        self.people = people
        self._rng, self._random = rng, rng.random
        self.text = EventText(rng, supplied)
        self.present = Presence(people, self.text, rng, late, sparse)
        self.signed_up: deque[Student] = deque()
        self.profiled: deque[Student] = deque()
        self.news: deque[tuple[Person, str, str]] = deque(maxlen=1000)
        self.notifications = 0
        self.assignment_types = field_of("ASSIGNMENT_CREATED", "assignment_type").choices
        self.notification_type = field_of("NOTIFICATION_SENT", "notification_type")
        self.write, self.write_alone = self.text.write, self.text.write_alone
        self.write_plain, self.stamp = self.text.write_plain, self.text.stamp
        self.several, self.student_session = self.present.several, self.present.student
        self.teacher_session = self.present.teacher

    def below(self, limit: int) -> int:
        """A random integer from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def choose(self, things: Sequence[T]) -> T:
        """One of `things` at random."""
        return things[int(self._random() * len(things))]

    def fake(self, field: Field) -> object:
        """A believable value of a field."""
        return fake(field, self._rng)

    def enrolment(self, student: Student) -> Enrolment:
        """One of the student's enrolments; who is logged in has some."""
        enrolments = student.enrolments
        return enrolments[int(self._random() * len(enrolments))]
