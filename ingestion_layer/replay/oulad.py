"""The Open University Learning Analytics Dataset, a folder of CSV files. Its times are whole days from the start of a
presentation (B: February, J: October); an event is put at a second of its day that depends on its row alone.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion_layer.replay.source import Record, ReplayError, event, identity, rows

STARTS = {"B": 2, "J": 10}
TEACHER = "OU-TUTOR-"
GRADED_AFTER = timedelta(days=10)
MATERIALS = {"resource": "document", "oucontent": "document", "page": "document", "url": "link", "dataplus": "dataset"}


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """Registrations, then assessments, then clicks of the virtual learning environment; each in the file's order."""
    if not path.is_dir():
        raise ReplayError(f"--replay: oulad must be a folder with studentRegistration.csv[.gz] and others; got {path}")
    yield from _registrations(_file(path, "studentRegistration"), skipped)
    yield from _assessments(_file(path, "assessments"), _file(path, "studentAssessment"), skipped)
    yield from _clicks(_file(path, "vle"), _file(path, "studentVle"), skipped)


def _file(folder: Path, name: str) -> Path:
    found = sorted(p for p in folder.glob(f"{name}*.csv*") if p.name[len(name)] in "._")
    if not found:
        raise ReplayError(f"--replay: oulad folder {folder} must have {name}.csv[.gz]")
    return found[0]


def _course(row: dict[str, str]) -> str:
    return f"{row['code_module']}-{row['code_presentation']}"


def _moment(presentation: str, day: str, *row: object) -> datetime:
    start = datetime(int(presentation[:4]), STARTS[presentation[4]], 1, tzinfo=UTC)
    second = zlib.crc32("/".join(map(str, row)).encode()) % 50_400 + 25_200  # between 7 and 21 o'clock
    return start + timedelta(days=int(float(day)), seconds=second)


def _registrations(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    for row in rows(path):
        course, student = _course(row), row["id_student"]
        for column, name in (("date_registration", "COURSE_ENROLLED"), ("date_unregistration", "COURSE_DROPPED")):
            if row[column]:
                moment = _moment(row["code_presentation"], row[column], course, student, column)
                key = identity("oulad", course, student, column)
                yield event(name, key, student, moment, role="student", course_id=course)
            elif name == "COURSE_ENROLLED":
                skipped["registration: no date"] += 1


def _assessments(tests: Path, answers: Path, skipped: Counter[str]) -> Iterator[Record]:
    known = {row["id_assessment"]: row for row in rows(tests)}
    for row in rows(answers):
        test, student, number = known.get(row["id_assessment"]), row["id_student"], row["id_assessment"]
        reason = _no_answer(test, row)
        if reason or test is None:
            skipped[f"assessment: {reason}"] += 1
            continue
        course = _course(test)
        moment = _moment(test["code_presentation"], row["date_submitted"], number, student)
        key = identity("oulad", number, student)
        score = round(float(row["score"]), 2) if row["score"] else None
        if test["assessment_type"] == "CMA":  # marked by computer: points of a hundred stand for right answers
            yield event(
                "QUIZ_COMPLETED", key, student, moment, role="student", quiz_id=number, course_id=course,
                correct_answers=int(score or 0), total_questions=100,
            )  # fmt: skip
            continue
        kind = "homework" if test["assessment_type"] == "TMA" else "lab"
        yield event(
            "SUBMIT_ASSIGNMENT", key, student, moment, role="student", assignment_id=number, course_id=course,
            assignment_type=kind,
        )  # fmt: skip
        if score is None:
            skipped["assessment: handed in, without a score"] += 1
            continue
        yield event(
            "GRADE_ASSIGNMENT", identity("oulad", number, student, "grade"), TEACHER + test["code_module"],
            moment + GRADED_AFTER, role="teacher", student_id=student, assignment_id=number, course_id=course,
            score=score,
        )  # fmt: skip


def _no_answer(test: dict[str, str] | None, row: dict[str, str]) -> str | None:
    if test is None:
        return "unknown id_assessment"
    if row["is_banked"].lower() in ("true", "1"):
        return "banked from an earlier presentation"
    if not row["date_submitted"]:
        return "no date"
    if test["assessment_type"] == "CMA" and not row["score"]:
        return "computer-marked, without a score"
    return None


def _clicks(sites: Path, clicks: Path, skipped: Counter[str]) -> Iterator[Record]:
    kinds = {row["id_site"]: row["activity_type"] for row in rows(sites)}
    for number, row in enumerate(rows(clicks)):
        site, student, course = row["id_site"], row["id_student"], _course(row)
        kind = kinds.get(site)
        if kind is None:
            skipped["click: unknown id_site"] += 1
            continue
        if kind == "homepage":
            name, fields = "COURSE_VIEW", {}
        elif kind in MATERIALS:
            name, fields = "ACCESS_COURSE_MATERIAL", {"material_id": site, "material_type": MATERIALS[kind]}
        else:
            name, fields = "ITEM_CLICK", {"item_id": site, "item_type": kind}
        for click in range(int(row["sum_click"])):
            moment = _moment(row["code_presentation"], row["date"], number, click)
            key = identity("oulad", "click", number, click)
            yield event(name, key, student, moment, role="student", course_id=course, **fields)
