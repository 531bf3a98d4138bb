"""What a replay's logs tell as a whole, read before any row becomes an event, so that the order of rows has no part in
it: which name is whose, who has which role, of which one course a log is, and how it writes its dates.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.local_dates import written
from ingestion_layer.replay.memory import Memory
from ingestion_layer.replay.moodle.columns import LogRow, known
from ingestion_layer.replay.moodle.made import on_course
from ingestion_layer.replay.moodle.mappings import Kind, Mapping

# Ids of the roles that Moodle comes with: manager, course creator, teacher, teacher who can't edit, student.
ROLES = {"1": "admin", "2": "teacher", "3": "teacher", "4": "teacher", "5": "student"}
COURSE = "Course: "
_UNNAMED = ("", "-")
EVERYWHERE = ""  # the course of a role that holds on the whole site


@dataclass
class Log:
    """What one file tells: which courses its rows name, and how its dates are written."""

    folder: str = ""
    courses: set[str] = field(default_factory=set)
    teachers: set[str] = field(default_factory=set)  # of the course that its rows are of where they name none
    largest: tuple[int, int] = (0, 0)  # first and second number of its dates

    @property
    def month_first(self) -> bool:
        """Whether its dates are written as 12/31/26; where none of them tells, they aren't."""
        return self.largest[1] > 12 >= self.largest[0]


class Survey:
    """What all files tell together; roles go to a memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._ids: dict[str, set[str]] = defaultdict(set)

    def learn(self, log: Log, row: LogRow, mapping: Mapping | None) -> None:
        """Take in one row."""
        if (
            isinstance(row.time, str)
            and row.time[4:5] != "-"
            and (said := written(row.time))
            and said.month_first is None
        ):
            first, second, _ = said.numbers
            log.largest = max(log.largest[0], first), max(log.largest[1], second)
        course = course_of(row, mapping)
        if course:
            log.courses.add(course)
        if row.full_name not in _UNNAMED or row.affected not in _UNNAMED:
            for name, user in zip((row.full_name, row.affected), row.users(), strict=False):
                if person(name) and known(user):
                    self._ids[name].add(user)
        if mapping and mapping.kind in (Kind.ROLE, Kind.ENROLLED, Kind.WORK):
            self._learn_role(log, row, mapping, course)

    def _learn_role(self, log: Log, row: LogRow, mapping: Mapping, course: str | None) -> None:
        concerned = row.concerned() or person(row.affected)
        if mapping.kind is Kind.ROLE:
            role = ROLES.get(row.role_id())
            if role and concerned:
                within = course or course_id(row.context.partition(": ")[2]) or EVERYWHERE
                self._memory.has_role(concerned, within, role)
        elif mapping.kind is Kind.ENROLLED:
            if course and concerned:
                self._memory.has_role(concerned, course, "student")
        elif (actor := row.actor()) and (mapping.event.startswith("grading") or row.concerned() not in (None, actor)):
            if course:
                self._memory.has_role(actor, course, "teacher")
            else:
                log.teachers.add(actor)

    def settle(self, log: Log, course: str | None) -> None:
        """Take in who teaches in a log whose rows that name no course are of this one."""
        for teacher in log.teachers if course else ():
            self._memory.has_role(teacher, course or "", "teacher")

    def named(self, name: str) -> str | None:
        """Who has a name: the id that comes with it in these logs where it is only one, else the name itself."""
        ids = self._ids.get(name, ())
        return next(iter(ids)) if len(ids) == 1 else person(name)

    def role(self, user: str, course: str) -> str | None:
        """What somebody is in a course, where the logs tell."""
        return self._memory.role(user, course) or self._memory.role(user, EVERYWHERE)


def course_of(row: LogRow, mapping: Mapping | None) -> str | None:
    """The course that the row itself names."""
    if row.course and (told := known(row.course)):
        return course_id(told)
    if row.context.startswith(COURSE) or mapping and on_course(mapping):
        return course_id(row.context.partition(": ")[2])
    return None


@lru_cache(maxsize=4096)
def course_id(name: str) -> str | None:
    """A course by its name: capitals don't tell courses apart, for folders of logs are often named without them."""
    return identifier(" ".join(unescape(name).lower().split()))
