"""The Open University Learning Analytics Dataset, a folder of CSV files. Its times are whole days from the start of a
presentation (B: February, J: October); an event is put at a second of its day that depends on its row alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion_layer.replay.csv_rows import records
from ingestion_layer.replay.event import event
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.format import Entry, Format
from ingestion_layer.replay.identity import canonical, identity, person
from ingestion_layer.replay.moments import DAY, EPOCH, MICROSECOND, SECOND
from ingestion_layer.replay.quantities import number, points, whole
from ingestion_layer.replay.row import MALFORMED, Record, ReplayError, Row, Unmapped

STARTS = {"B": 2, "J": 10}
TEACHER = "OU-TUTOR-"
GRADED_AFTER = 10 * DAY
MATERIALS = {"resource": "document", "oucontent": "document", "page": "document", "url": "link", "dataplus": "dataset"}
TABLES = ("studentRegistration", "assessments", "studentAssessment", "vle", "studentVle")
MISSING = frozenset(("", "?"))


class Oulad(Format):
    """Registrations, assessments and clicks of the virtual learning environment."""

    name = "oulad"

    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Each row of a student; the tables of tests and of sites are looked up."""
        tables = {name: [(n, p) for n, p in enumerate(files) if _is_table(p, name)] for name in TABLES}
        for name, found in tables.items():
            if not found:
                raise ReplayError(f"--replay: oulad folder {files[0].parent} must have {name}.csv[.gz]")
        tests = {row["id_assessment"]: row for _, row in _rows(tables["assessments"]) if isinstance(row, dict)}
        sites = {row["id_site"]: row["activity_type"] for _, row in _rows(tables["vle"]) if isinstance(row, dict)}
        for file, row in _rows(tables["studentRegistration"]):
            for column in ("date_registration", "date_unregistration"):
                if isinstance(row, str) or row.get(column) not in MISSING or column == "date_registration":
                    yield file, self._entry(row, column, column)
        for file, row in _rows(tables["studentAssessment"]):
            if isinstance(row, dict):
                row = {**row, "test": tests.get(row.get("id_assessment", ""))}  # type: ignore[dict-item]
            yield file, self._entry(row, "date_submitted", "assessment")
        for file, row in _rows(tables["studentVle"]):
            if isinstance(row, dict):
                row["kind"] = sites.get(row.get("id_site", ""), "")
            yield file, self._entry(row, "date", "click")

    def mapped(self, row: Row) -> list[Record]:
        """The events of a row: of clicks as many as it counts."""
        told = row.document
        try:
            if told["table"] == "click":
                return self._clicks(told, row)
            if told["table"] == "assessment":
                return self._answered(told, row)
            name = "COURSE_ENROLLED" if told["table"] == "date_registration" else "COURSE_DROPPED"
            return [
                event(name, row.key, person(told["id_student"]), row.moment, role="student", course_id=_course(told))
            ]
        except Unmapped as reason:
            raise Unmapped(f"{told['table']}: {reason}") from None

    def _entry(self, row: dict[str, Any] | str, column: str, table: str) -> Entry | str:
        if isinstance(row, str):
            return row
        try:
            if table == "assessment" and (reason := _no_answer(row)):
                return f"assessment: {reason}"
            if row[column] in MISSING:
                return f"{table}: no date"
            about = row["test"] if table == "assessment" else row
            named = {
                k: v for k, v in row.items() if k not in ("test", "kind", "date_unregistration", "date_registration")
            }
            content = canonical([table, row[column], named])
            moment = self.options.clock.checked(_moment(about["code_presentation"], row[column], content))
        except MALFORMED as error:
            return f"{table}: {error if type(error) is ValueError else self.lacks}"
        return Entry({"table": table, **row}, moment, content)

    def _answered(self, told: dict[str, Any], row: Row) -> list[Record]:
        test, student, mark = told["test"], person(told["id_student"]), told["id_assessment"]
        about = {"course_id": _course(test)}
        score = None if told["score"] in MISSING else points(told["score"], 100)
        if test["assessment_type"] == "CMA":  # marked by computer: points of a hundred stand for right answers
            right = {"correct_answers": whole(score or 0.0), "total_questions": 100}
            return [
                event("QUIZ_COMPLETED", row.key, student, row.moment, role="student", quiz_id=mark, **about, **right)
            ]
        kind = "homework" if test["assessment_type"] == "TMA" else "lab"
        work = {"assignment_id": mark, **about}
        made = [event("SUBMIT_ASSIGNMENT", row.key, student, row.moment, role="student", assignment_type=kind, **work)]
        if score is not None:
            made.append(
                event(
                    "GRADE_ASSIGNMENT", identity(row.key, "grade"), TEACHER + test["code_module"],
                    self.options.clock.checked(row.moment + GRADED_AFTER), role="teacher", student_id=student,
                    score=score, **work,
                )
            )  # fmt: skip
        return made

    def _clicks(self, told: dict[str, Any], row: Row) -> list[Record]:
        kind, about = told["kind"], {"role": "student", "course_id": _course(told)}
        if not kind:
            raise Unmapped("unknown id_site")
        if kind == "homepage":
            name, fields = "COURSE_VIEW", {}
        elif kind in MATERIALS:
            name, fields = "ACCESS_COURSE_MATERIAL", {"material_id": told["id_site"], "material_type": MATERIALS[kind]}
        else:
            name, fields = "ITEM_CLICK", {"item_id": told["id_site"], "item_type": kind}
        day = row.moment - row.moment % DAY
        return [
            event(
                name,
                identity(row.key, click),
                person(told["id_student"]),
                day + _second(row.key, click),
                **about,
                **fields,
            )
            for click in range(int(number(told["sum_click"])))
        ]


def _is_table(path: Path, name: str) -> bool:
    return path.name.startswith(name) and path.name[len(name) : len(name) + 1] in (".", "_") and ".csv" in path.name


def _rows(tables: list[tuple[int, Path]]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for file, path in tables:
        try:
            yield from ((file, row) for row in records(Lines(path)))
        except Damaged as damage:
            yield file, str(damage)


def _course(row: dict[str, Any]) -> str:
    return f"{row['code_module']}-{row['code_presentation']}"


def _second(*parts: object) -> int:
    """A moment between 7 and 21 o'clock."""
    return (zlib.crc32("/".join(map(str, parts)).encode()) % 50_400 + 25_200) * SECOND


def _moment(presentation: str, day: str, content: bytes) -> int:
    start = datetime(int(presentation[:4]), STARTS[presentation[4]], 1, tzinfo=UTC)
    return (start - EPOCH) // MICROSECOND + int(number(day)) * DAY + _second(content)


def _no_answer(row: dict[str, Any]) -> str | None:
    test = row["test"]
    if test is None:
        return "unknown id_assessment"
    if row["is_banked"].lower() in ("true", "1"):
        return "banked from an earlier presentation"
    if test["assessment_type"] == "CMA" and row["score"] in MISSING:
        return "computer-marked, without a score"
    return None
