"""Logs of one Moodle course (CSV columns user, timecreated, Event.context, Component, Event.name), with its grades.

A `results.csv` beside the log holds grades from 0 to 10: each becomes a GRADE_ASSIGNMENT of a hundred points, given by
the teacher after the last logged event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion_layer.replay.source import Record, ReplayError, event, identity, rows

COURSE, TEACHER = "MOODLE-LA", "GV001"
MATERIALS = {"File": "document", "URL": "link", "Page": "document", "Folder": "document"}
CLICKS = frozenset(("Forum", "Wiki", "Choice", "Zoom meeting", "Quiz", "Assignment"))
VIEWED = frozenset(
    ("Course module viewed", "Discussion viewed", "The status of the submission has been viewed.", "Feedback viewed",
     "Submission form viewed.", "Quiz attempt viewed", "Quiz attempt reviewed", "Quiz attempt summary viewed",
     "Clicked join meeting button")
)  # fmt: skip


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """Events in the order of time, then the grades; of a folder, its `events.csv[.gz]`."""
    if path.is_dir():
        found = sorted(path.glob("events.csv*"))
        if not found:
            raise ReplayError(f"--replay: moodle folder {path} must have events.csv[.gz]")
        path = found[0]
    log = sorted(enumerate(rows(path)), key=lambda numbered: (numbered[1]["timecreated"], numbered[0]))
    opened: set[tuple[str, str]] = set()
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    for number, row in log:
        moment = datetime.fromisoformat(row["timecreated"]).replace(tzinfo=UTC)
        user, context = row["user"], row["Event.context"]
        component, name = row["Component"], row["Event.name"]
        first = component == "Assignment" and name == "Course module viewed" and (user, context) not in opened
        if first:
            opened.add((user, context))
        made = _mapped(component, name, context, first)
        if made is None:
            skipped[f"{component}: {name}"] += 1
            continue
        yield event(made[0], identity("moodle", path.name, number), user, moment, course_id=COURSE, **made[1])
    results = path.with_name("results.csv")
    if results.exists():
        yield from _grades(results, moment + timedelta(days=1), skipped)


def _mapped(component: str, name: str, context: str, first: bool) -> tuple[str, dict] | None:
    item = context.partition(": ")[2][:128] or context[:128]
    work = {"assignment_id": item, "assignment_type": "project" if "project" in item.lower() else "homework"}
    if (component, name) == ("System", "Course viewed"):
        return "COURSE_VIEW", {}
    if first:
        return "VIEW_ASSIGNMENT_FIRST_TIME", work
    if (component, name) == ("Assignment", "A submission has been submitted."):
        return "SUBMIT_ASSIGNMENT", work
    if (component, name) == ("File submissions", "Submission updated."):
        return "EDIT_ASSIGNMENT", {"assignment_id": item}
    if (component, name) == ("Quiz", "Quiz attempt started"):
        return "QUIZ_STARTED", {"quiz_id": item}
    if component in MATERIALS and name == "Course module viewed":
        return "ACCESS_COURSE_MATERIAL", {"material_id": item, "material_type": MATERIALS[component]}
    if component in CLICKS and name in VIEWED:
        return "ITEM_CLICK", {"item_id": item, "item_type": component.lower()}
    return None


def _grades(path: Path, moment: datetime, skipped: Counter[str]) -> Iterator[Record]:
    for row in rows(path):
        student = row.pop("user")
        for column, text in row.items():
            if not column.startswith("Grade."):
                skipped[f"results: {column} is a total, no assignment's grade"] += 1
                continue
            try:
                points = round(float(text) * 10, 2)
            except ValueError:
                skipped[f"results: {column} has no number"] += 1
                continue
            if not 0 <= points <= 100:
                skipped[f"results: {column} is not from 0 to 10"] += 1
                continue
            yield event(
                "GRADE_ASSIGNMENT", identity("moodle", path.name, student, column), TEACHER, moment, role="teacher",
                student_id=student, assignment_id=column.removeprefix("Grade."), course_id=COURSE, score=points,
            )  # fmt: skip
