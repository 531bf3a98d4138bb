"""The Open University Learning Analytics Dataset, a folder of CSV files. Its times are whole days from the start of a
presentation (B: February, J: October); an event is put at a second of its day that depends on its row alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion_layer.replay.csv_rows import records
from ingestion_layer.replay.event import event
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.format import Entry, Rows
from ingestion_layer.replay.identity import canonical, identifier, identity, person
from ingestion_layer.replay.moments import DAY, EPOCH, MICROSECOND, SECOND
from ingestion_layer.replay.oulad_rules import (
    ABOUT,
    BY_NAME,
    GRADED_AFTER_DAYS,
    LEFT,
    MOST_CLICKS,
    REGISTERED,
    RULES,
    TUTOR,
    click_rule,
)
from ingestion_layer.replay.quantities import number, points
from ingestion_layer.replay.row import Options, Record, Row, Unmapped

STARTS = {"B": 2, "J": 10}
MORNING, HOURS = 7 * 3600, 14 * 3600  # when events are put: between 7 and 21 o'clock
# The tables by the columns that only they have, however their files are called.
TABLES = {
    "registrations": {"id_student", "date_registration"},
    "answers": {"id_assessment", "id_student"},
    "assessments": {"id_assessment", "assessment_type"},
    "clicks": {"id_site", "id_student", "sum_click"},
    "sites": {"id_site", "activity_type"},
    "students": {"id_student", "final_result"},
    "courses": {"module_presentation_length"},
}
LOOKED_UP = ("assessments", "sites")
BESIDE = ("assessments", "vle")


class Oulad(Rows):
    """Registrations, assessments and clicks; the other tables only say what these are of."""

    name = "oulad"
    about = ABOUT
    rules = RULES
    lacks = "lacks a column"

    def __init__(self, options: Options):
        super().__init__(options)
        self._tests: dict[str, dict[str, str]] = {}
        self._sites: dict[str, str] = {}

    @staticmethod
    def gathered(files: list[Path]) -> list[Path]:
        """The files, and the tables beside them that say what their assessments and sites are."""
        beside = {
            p for file in files for p in file.parent.glob("*.csv*") if p.name.partition(".")[0].startswith(BESIDE)
        }
        return files + sorted(beside.difference(files))

    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Rows of the tables that tell of events."""
        tables = [_table(path) for path in files]
        for path, table in zip(files, tables, strict=True):
            if table in LOOKED_UP:
                self._look_up(path)
        for file, (path, table) in enumerate(zip(files, tables, strict=True)):
            if table in ("registrations", "answers", "clicks", None):
                for found in _rows(path):
                    yield file, found if isinstance(found, str) else self._entry(table, found)

    def mapped(self, row: Row) -> list[Record]:
        """The events of a row: two of a registration that ended, as many as there are clicks."""
        told = row.document
        match told["table"]:
            case "registrations":
                return list(self._registered(told, row.moment))
            case "answers":
                return list(self._answered(told, row.moment))
        return list(self._clicked(told, row.moment, row.key))

    def _look_up(self, path: Path) -> None:
        for row in _rows(path):
            if isinstance(row, dict) and "id_assessment" in row:
                self._tests[row["id_assessment"]] = row
            elif isinstance(row, dict):
                self._sites[row["id_site"]] = row["activity_type"]

    def _entry(self, table: str | None, row: dict[str, str]) -> Entry | str:
        try:
            if table is None:
                raise Unmapped("no row of the dataset's tables")
            if table == "answers":
                test = self._tests.get(row["id_assessment"])
                if test is None:
                    raise Unmapped("assessment: unknown id_assessment")
                row = test | row
            elif table == "clicks" and row["id_site"] not in self._sites:
                raise Unmapped("click: unknown id_site")
            day = self.options.clock.checked(_start(row) + _days(row, table) * DAY)
        except Unmapped as reason:
            return str(reason)
        except ValueError as error:
            return str(error)
        except KeyError:
            return self.lacks
        return Entry({"table": table, **row}, day, canonical((table, row)))

    def _registered(self, row: dict[str, Any], day: int) -> Iterator[Record]:
        student, made = _student(row), 0
        for column in (REGISTERED, LEFT):
            if _absent(row.get(column)):
                continue
            try:
                at = self.options.clock.checked(_start(row) + _day(row, column) * DAY)
            except (Unmapped, ValueError):
                if made or column == REGISTERED and not _absent(row.get(LEFT)):
                    self.options.left_out(f"registration: {column} is no day")
                    continue
                raise
            key = identity(self.name, _course(row), student, column, at)
            at += _second(_course(row), student, column)
            made += 1
            yield event(BY_NAME[column].becomes, key, student, at, role="student", course_id=_course(row))
        if not made:
            raise Unmapped("registration: no date")

    def _answered(self, row: dict[str, Any], day: int) -> Iterator[Record]:
        if str(row["is_banked"]).strip().lower() in ("true", "1", "1.0"):
            raise Unmapped("assessment: banked from an earlier presentation")
        student, work, course = _student(row), identifier(row["id_assessment"]), _course(row)
        score = self._score(row["score"])
        key, at = identity(self.name, course, work, student, day), day + _second(work, student)
        about = {"role": "student", "course_id": course}
        rule = BY_NAME.get(row["assessment_type"])
        if rule is None:
            raise Unmapped("assessment: neither TMA, CMA nor Exam")
        about |= rule.make(row)
        if rule.becomes == "QUIZ_COMPLETED":
            if score is None:
                raise Unmapped("assessment: computer-marked, without a score")
            right = int(score + 0.5)
            yield event(
                "QUIZ_COMPLETED", identity(key, score), student, at, quiz_id=work, correct_answers=right, **about
            )
            return
        yield event("SUBMIT_ASSIGNMENT", key, student, at, assignment_id=work, **about)
        if score is None:
            return
        grade = {"student_id": student, "assignment_id": work, "course_id": course, "score": score}
        tutor, graded = identifier(TUTOR + row["code_module"]), at + GRADED_AFTER_DAYS * DAY
        yield event("GRADE_ASSIGNMENT", identity(key, "grade", score), tutor, graded, role="teacher", **grade)

    def _score(self, text: Any) -> float | None:
        with suppress(Unmapped):
            return None if _absent(text) else points(text, 100)
        self.options.left_out("assessment: its score is not from 0 to 100")
        return None

    def _clicked(self, row: dict[str, Any], day: int, key: str) -> Iterator[Record]:
        student, site, kind = _student(row), identifier(row["id_site"]), self._sites[row["id_site"]]
        course = _course(row)
        rule = click_rule(kind)
        fields = rule.make(site, kind)
        for click in range(_clicks(row)):
            at = day + _second(key, click)
            yield event(rule.becomes, identity(key, click), student, at, role="student", course_id=course, **fields)


def _table(path: Path) -> str | None:
    first = next((row for row in _rows(path) if isinstance(row, dict)), {})
    return next((name for name, names in TABLES.items() if names <= first.keys()), None)


def _rows(path: Path) -> Iterator[dict[str, str] | str]:
    try:
        yield from records(Lines(path))
    except Damaged as damage:
        yield str(damage)


def _absent(text: Any) -> bool:
    return text is None or str(text).strip() in ("", "?")


def _course(row: dict[str, Any]) -> str:
    return identifier(f"{row['code_module']}-{row['code_presentation']}") or ""


def _student(row: dict[str, Any]) -> str:
    found = person(row["id_student"])
    if found is None:
        raise Unmapped("nobody's")
    return found


def _start(row: dict[str, Any]) -> int:
    presentation = row["code_presentation"]
    if (
        len(presentation) != 5
        or not (presentation.isascii() and presentation[:4].isdecimal())
        or presentation[4] not in STARTS
    ):
        raise Unmapped("its presentation is not as 2013J")
    return (datetime(int(presentation[:4]), STARTS[presentation[4]], 1, tzinfo=UTC) - EPOCH) // MICROSECOND


def _days(row: dict[str, Any], table: str) -> int:
    """The day by which a row is put in order."""
    if table == "registrations":
        dates = [name for name in (REGISTERED, LEFT) if not _absent(row.get(name))]
        if not dates:
            raise Unmapped("registration: no date")
        with suppress(Unmapped):
            return _day(row, dates[0])
        return _day(row, dates[-1])
    if table == "answers":
        if _absent(row["date_submitted"]):
            raise Unmapped("assessment: no date")
        return _day(row, "date_submitted")
    _clicks(row)
    return _day(row, "date")


def _day(row: dict[str, Any], column: str) -> int:
    try:
        return int(number(row[column]))
    except ValueError:
        raise Unmapped(f"its {column} is no day") from None


def _clicks(row: dict[str, Any]) -> int:
    try:
        clicks = int(number(row["sum_click"]))
    except ValueError:
        clicks = 0
    if not 1 <= clicks <= MOST_CLICKS:
        raise Unmapped(f"click: sum_click is not from 1 to {MOST_CLICKS}")
    return clicks


def _second(*row: object) -> int:
    return (zlib.crc32("/".join(map(str, row)).encode()) % HOURS + MORNING) * SECOND
