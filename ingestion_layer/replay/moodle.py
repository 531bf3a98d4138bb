"""Logs of a Moodle course (CSV columns user, timecreated, Event.context, Component, Event.name), with its grades.

A `results.csv` beside the log holds grades from 0 to 10: each becomes a GRADE_ASSIGNMENT of a hundred points, given by
the teacher after the last logged event.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingestion_layer.replay.csv_rows import records
from ingestion_layer.replay.event import event
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.format import Entry, Format
from ingestion_layer.replay.identity import canonical, identifier, identity, person
from ingestion_layer.replay.moments import DAY
from ingestion_layer.replay.quantities import points
from ingestion_layer.replay.row import MALFORMED, Record, Row, Unmapped

COURSE, TEACHER = "MOODLE-LA", "GV001"
COLUMNS = ("user", "timecreated", "Event.context", "Component", "Event.name")
MATERIALS = {"File": "document", "URL": "link", "Page": "document", "Folder": "document"}
CLICKS = frozenset(("Forum", "Wiki", "Choice", "Zoom meeting", "Quiz", "Assignment"))
VIEWED = frozenset(
    ("Course module viewed", "Discussion viewed", "The status of the submission has been viewed.", "Feedback viewed",
     "Submission form viewed.", "Quiz attempt viewed", "Quiz attempt reviewed", "Quiz attempt summary viewed",
     "Clicked join meeting button")
)  # fmt: skip
GRADE = "Grade."


class Moodle(Format):
    """A log, or a folder with logs and `results.csv`; the grades that stand beside a log come with it."""

    name = "moodle"

    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Rows of the logs, and then each grade of the results."""
        latest = 0
        for file, path in enumerate(files):
            if _is_results(path):
                continue
            for found in _rows(path):
                entry = found if isinstance(found, str) else self._logged(found)
                if not isinstance(entry, str):
                    latest = max(latest, entry.moment)
                yield file, entry
        for file, path in enumerate(files):
            beside = path if _is_results(path) else path.with_name("results.csv")
            if beside.exists() and (beside == path or beside not in files):
                yield from ((file, entry) for entry in self._grades(beside, latest + DAY))

    def mapped(self, row: Row) -> list[Record]:
        """The event of a row."""
        told = row.document
        if "points" in told:
            fields = {"student_id": told["student"], "assignment_id": told["assignment"], "score": told["points"]}
            return [event("GRADE_ASSIGNMENT", row.key, TEACHER, row.moment, role="teacher", course_id=COURSE, **fields)]
        user, context, component, name = (told[c] for c in ("user", "Event.context", "Component", "Event.name"))
        item = identifier(context.partition(": ")[2] or context)
        kind, fields = _mapped(component, name, item)
        key = row.key
        if kind == "VIEW_ASSIGNMENT_FIRST_TIME":
            if self.memory.first(user, item or ""):
                key = identity("moodle first view", COURSE, user, item)
            else:
                kind, fields = "ITEM_CLICK", {"item_id": item, "item_type": "assignment"}
        return [event(kind, key, person(user), row.moment, course_id=COURSE, role=self.options.role, **fields)]

    def _logged(self, row: dict[str, str]) -> Entry | str:
        try:
            moment = self.options.clock.read(row["timecreated"])
            return Entry(row, moment, canonical([row[column] for column in COLUMNS]))
        except KeyError as error:
            return f"no column {error.args[0]}"
        except ValueError as error:
            return str(error)

    def _grades(self, path: Path, moment: int) -> Iterator[Entry | str]:
        for found in _rows(path):
            if isinstance(found, str):
                yield found
                continue
            student = person(found.pop("user", None))
            for column, text in found.items():
                if not column.startswith(GRADE):
                    yield f"results: {column} is a total, no assignment's grade"
                    continue
                try:
                    score = points(text, 10)
                except (Unmapped, *MALFORMED) as reason:
                    yield f"results: {reason}"
                    continue
                work = identifier(column.removeprefix(GRADE))
                entry = {"student": student, "assignment": work, "points": score}
                yield Entry(entry, moment, canonical(["grade", student, work]))


def _is_results(path: Path) -> bool:
    return path.name.startswith("results.csv")


def _rows(path: Path) -> Iterator[dict[str, str] | str]:
    try:
        yield from records(Lines(path))
    except Damaged as damage:
        yield str(damage)


def _mapped(component: str, name: str, item: str | None) -> tuple[str, dict]:
    work = {"assignment_id": item, "assignment_type": "project" if "project" in (item or "").lower() else "homework"}
    if (component, name) == ("System", "Course viewed"):
        return "COURSE_VIEW", {}
    if (component, name) == ("Assignment", "Course module viewed"):
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
    raise Unmapped(f"{component}: {name}")
