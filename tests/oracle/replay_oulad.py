"""What the events of an OULAD folder must say, written a second time. Its times are days: `day` is all that can be
told.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.oracle.replay_moodle import Expected, table

READING = {"resource": "document", "oucontent": "document", "page": "document", "url": "link", "dataplus": "dataset"}
MONTH = {"B": 2, "J": 10}


def expected(folder: Path) -> list[Expected]:
    """Every event of the folder's tables, in no order, without identities; `day` instead of a timestamp."""
    found: list[Expected] = []
    for row in _table(folder, "studentRegistration"):
        about = {**_course(row), "user_id": row["id_student"], "role": "student"}
        for column, name in (("date_registration", "COURSE_ENROLLED"), ("date_unregistration", "COURSE_DROPPED")):
            if _number(row[column]):
                found.append({"event_type": name, "day": _day(row, row[column]), **about})
    found += _assessed(folder)
    kinds = {row["id_site"]: row["activity_type"] for row in _table(folder, "vle")}
    for row in _table(folder, "studentVle"):
        kind, site = kinds.get(row["id_site"]), row["id_site"]
        if kind is None or not _number(row["sum_click"]) or not _number(row["date"]):
            continue
        event: Expected = {
            **_course(row),
            "user_id": row["id_student"],
            "role": "student",
            "day": _day(row, row["date"]),
        }
        if kind == "homepage":
            event |= {"event_type": "COURSE_VIEW"}
        elif kind in READING:
            event |= {"event_type": "ACCESS_COURSE_MATERIAL", "material_id": site, "material_type": READING[kind]}
        else:
            event |= {"event_type": "ITEM_CLICK", "item_id": site, "item_type": kind}
        found += [event] * int(float(row["sum_click"]))
    return found


def _assessed(folder: Path) -> list[Expected]:
    found: list[Expected] = []
    tests = {row["id_assessment"]: row for row in _table(folder, "assessments")}
    for row in _table(folder, "studentAssessment"):
        test = tests.get(row["id_assessment"])
        if test is None or row["is_banked"] in ("1", "True") or not _number(row["date_submitted"]):
            continue
        day = _day(test, row["date_submitted"])
        about = {**_course(test), "user_id": row["id_student"], "role": "student", "day": day}
        scored, work = _number(row["score"]), row["id_assessment"]
        if test["assessment_type"] == "CMA":
            if scored:
                points = {"quiz_id": work, "correct_answers": int(float(row["score"])), "total_questions": 100}
                found.append({"event_type": "QUIZ_COMPLETED", **points, **about})
            continue
        form = "homework" if test["assessment_type"] == "TMA" else "lab"
        found.append({"event_type": "SUBMIT_ASSIGNMENT", "assignment_id": work, "assignment_type": form, **about})
        if scored:
            found.append({
                "event_type": "GRADE_ASSIGNMENT", **_course(test), "user_id": "OU-TUTOR-" + test["code_module"],
                "role": "teacher", "student_id": row["id_student"], "assignment_id": work,
                "score": float(row["score"]), "day": day + timedelta(days=10),
            })  # fmt: skip
    return found


def _table(folder: Path, name: str) -> list[dict[str, str]]:
    paths = [path for path in sorted(folder.iterdir()) if path.name[: len(name) + 1] in (f"{name}.", f"{name}_")]
    return [row for path in paths for row in table(path)]


def _course(row: dict[str, str]) -> Expected:
    return {"course_id": row["code_module"] + "-" + row["code_presentation"]}


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _day(row: dict[str, str], text: str) -> date:
    presentation = row["code_presentation"]
    return date(int(presentation[:4]), MONTH[presentation[4]], 1) + timedelta(days=int(float(text)))
