"""Moodle's logs, in the forms that its report page, its database and the people who pass them on give them, and grades.

Files are read twice: first for what they tell as a whole (`survey`), then row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ingestion_layer.replay.csv_rows import records
from ingestion_layer.replay.event import event
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.format import Entry, Rows
from ingestion_layer.replay.identity import canonical, identity
from ingestion_layer.replay.json_rows import documents
from ingestion_layer.replay.local_dates import moment, written
from ingestion_layer.replay.moments import DAY, NO_TIME
from ingestion_layer.replay.moodle.columns import LogRow, columns, log_row, texts
from ingestion_layer.replay.moodle.grades import TEACHER, exported_at, grade_columns, grades, student
from ingestion_layer.replay.moodle.made import made
from ingestion_layer.replay.moodle.mappings import find
from ingestion_layer.replay.moodle.page import ABOUT, RULES
from ingestion_layer.replay.moodle.survey import Log, Survey, course_id, course_of
from ingestion_layer.replay.row import Options, Record, Row, Unmapped
from ingestion_layer.replay.tally import named

RESULTS = "results.csv"
FIRST_VIEW = "VIEW_ASSIGNMENT_FIRST_TIME"
NO_LOG = "no row of a Moodle log or of grades"
GRADED_AFTER = DAY
_SPACED = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_ZONE = re.compile(r"\s*([+-]\d\d:?\d\d|Z)$")
_PLAIN = re.compile(r"\s*(\d{4}-\d\d-\d\d|\d+(\.\d+)?\s*$)")


class Moodle(Rows):
    """Rows of logs and of tables of grades."""

    name = "moodle"
    about = ABOUT
    rules = RULES

    def __init__(self, options: Options):
        super().__init__(options)
        self._survey = Survey(self.memory)
        self._latest: dict[str, int] = {}  # the last moment of a folder's logs
        self._courses: dict[str, set[str]] = {}

    @staticmethod
    def gathered(files: list[Path]) -> list[Path]:
        """The files, and the results that lie beside a log called events."""
        beside = [path.with_name(RESULTS) for path in files if path.name.startswith("events.csv")]
        return files + [path for path in dict.fromkeys(beside) if path.exists() and path not in files]

    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Rows of logs, then those of grades, which are as old as the logs beside them."""
        logs = [self._surveyed(path) for path in files]
        for surveyed in filter(None, logs):
            self._survey.settle(surveyed, self._course(surveyed))
        graded: list[int] = []
        for file, (path, log) in enumerate(zip(files, logs, strict=True)):
            if log is None:
                graded.append(file)
                continue
            for found in _documents(path):
                yield file, found if isinstance(found, str) else self._entry(found, log)
        for file in graded:
            for found in _documents(files[file]):
                yield (
                    file,
                    found if isinstance(found, str) else self._graded(found, files[file], Log(str(files[file].parent))),
                )

    def mapped(self, row: Row) -> list[Record]:
        """The events of a row of a log, or of one of grades."""
        course = row.document["course"]
        if "grades" in row.document:
            return list(self._grades(row.document["grades"], course, row.moment))
        told = LogRow(*row.document["row"])
        mapping = find(told.event, told.component, told.description)
        if mapping is None:
            raise Unmapped(f"{named(told.component)}: {named(told.event)}")
        actor = told.actor() or self._survey.named(told.full_name)
        concerned = told.concerned() or self._survey.named(told.affected)
        found = []
        try:
            for name, user, fields in made(mapping, told, actor, concerned):
                key = identity(row.key, name, user)
                if name == FIRST_VIEW:
                    if not self.memory.first(course, user, fields["assignment_id"]):
                        continue
                    key = identity(self.name, name, course, user, fields["assignment_id"], row.moment)
                role = fields.pop("role", None) or self._survey.role(user, course) or self.options.role
                found.append(event(name, key, user, row.moment, role=role, course_id=course, **fields))
        except Unmapped as reason:
            raise Unmapped(f"{mapping.component}: {mapping.name}: {reason}") from None
        return found

    def _grades(self, record: dict[str, Any], course: str, moment: int) -> Iterator[Record]:
        user = student(record, self._survey.named)
        if user is None:
            raise Unmapped("grades: nobody's")
        found = list(grades(record, self.options.left_out))
        if not found:
            raise Unmapped("grades: none in it")
        for grade in found:
            key = identity(self.name, "grade", course, user, grade.quiz, grade.item, grade.score)
            if grade.quiz:
                right = {"quiz_id": grade.item, "correct_answers": int(grade.score + 0.5), "total_questions": 100}
                role = self._survey.role(user, course) or self.options.role
                yield event("QUIZ_COMPLETED", key, user, moment, role=role, course_id=course, **right)
            else:
                about = {"student_id": user, "assignment_id": grade.item, "score": grade.score}
                yield event("GRADE_ASSIGNMENT", key, TEACHER, moment, role="teacher", course_id=course, **about)

    def _surveyed(self, path: Path) -> Log | None:
        """What a log tells; None where the file holds grades."""
        log, rows = Log(str(path.parent)), 0
        for found in _documents(path):
            if isinstance(found, str):
                continue
            names = tuple(found)
            places = columns(names)
            if not any(places):
                if not rows and grade_columns(names):
                    return None
                continue
            rows += 1
            row = log_row(found, places)
            self._survey.learn(log, row, find(row.event, row.component, row.description))
        if rows:
            self._courses.setdefault(log.folder, set()).update(log.courses)
        return log

    def _entry(self, document: dict[str, Any], log: Log) -> Entry | str:
        places = columns(tuple(document))
        if not any(places):
            return NO_LOG
        row = log_row(document, places)
        if not (row.event or row.description):
            return NO_LOG
        course = course_of(row, find(row.event, row.component, row.description)) or self._course(log)
        if course is None:
            return "no course"
        try:
            at = self._moment(row.time, log)
        except ValueError as error:
            return str(error)
        if at > self._latest.get(log.folder, 0):
            self._latest[log.folder] = at
        return Entry({"row": list(row), "course": course}, at, canonical((course, document)))

    def _graded(self, record: dict[str, Any], path: Path, beside: Log) -> Entry | str:
        if not grade_columns(tuple(record)):
            return NO_LOG
        course = self._course(beside)
        if course is None:
            return "no course"
        at = self._latest.get(beside.folder)
        at = path.stat().st_mtime_ns // 1000 if at is None else at + GRADED_AFTER
        with suppress(ValueError):
            at = self.options.clock.read(exported_at(record))
        return Entry({"grades": record, "course": course}, at, canonical((course, record)))

    def _course(self, log: Log) -> str | None:
        """The course of rows that name none: the one that their file names, or where it names none all in its folder
        do; else `--course`, else the folder's name.
        """
        named = log.courses or self._courses.get(log.folder, set())
        if len(named) == 1:
            return next(iter(named))
        given = course_id(self.options.course) if self.options.course else None
        return given or course_id(Path(log.folder).resolve().name)

    def _moment(self, value: Any, log: Log) -> int:
        clock = self.options.clock
        if not isinstance(value, str) or _PLAIN.match(value):
            return clock.read(_SPACED.sub("", value) if isinstance(value, str) else value)
        zone = _ZONE.search(value)
        said = written(value[: zone.start()] if zone else value)
        if not said:
            return clock.read(value)
        try:
            wall = moment(said, log.month_first)
        except ValueError as error:
            raise ValueError(NO_TIME) from error
        return clock.read(f"{wall.isoformat()}{zone[1]}") if zone else clock.checked(clock.local(wall))


def _documents(path: Path) -> Iterator[dict[str, Any] | str]:
    """The rows of a file of either kind, or why there is none; of a damaged file those before."""
    lines = Lines(path)
    try:
        while (first := lines.take()) is not None and not first.strip(b" \t\r\n\0"):
            pass
        lines.put_back(first or b"")
        if (first or b"").lstrip(b" \t\0")[:1] not in (b"{", b"["):
            yield from records(lines)
            return
        for found in documents(lines, ("data",)):
            inside = found.get("data") if isinstance(found, dict) else None
            for row in inside if isinstance(inside, list) else [found]:
                yield texts(row) if isinstance(row, dict) else row if isinstance(row, str) else NO_LOG
    except Damaged as damage:
        yield str(damage)


__all__ = ["Moodle"]
