"""What the events of a Moodle log and its grades must say, written a second time, from the log's English names
alone.
"""

from __future__ import annotations

import csv
import gzip
import html
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

Expected = dict[str, object]
MATERIAL = {"File": "document", "Page": "document", "Folder": "document", "URL": "link", "Book": "document"}
CLICKED = {
    "Forum": ("Discussion viewed",),
    "Assignment": ("Feedback viewed", "Submission form viewed."),
    "Quiz": ("Quiz attempt viewed", "Quiz attempt reviewed", "Quiz attempt summary viewed"),
    "Zoom meeting": ("Clicked join meeting button",),
    "BigBlueButtonBN": ("Activity viewed", "Meeting joined", "Recording viewed"),
    "H5P": ("mod_hvp: attempt submitted", "xAPI statement received"),
}
TYPES = {"Zoom meeting": "zoom", "BigBlueButtonBN": "bigbluebuttonbn"}
OPENED = ("Course module viewed", "The status of the submission has been viewed.")


def lines(path: Path) -> list[str]:
    """The lines of a file, plain or packed."""
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig").splitlines()


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, plain or packed."""
    return list(csv.DictReader(lines(path)))


def expected(log: Path, results: Path | None = None) -> list[Expected]:
    """Every event of a log of one course, in no order, without identities; then those of the grades beside it."""
    rows = table(log)
    named = [row["Event.context"][8:] for row in rows if row["Event.context"].startswith("Course: ")]
    assert len(set(named)) == 1, "the oracle knows logs of one course"
    course = named[0].strip().lower()
    found: list[Expected] = []
    firsts: dict[tuple[str, str], datetime] = {}
    last = datetime(2000, 1, 1, tzinfo=UTC)
    for row in rows:
        when = datetime.strptime(row["timecreated"], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        last = max(last, when)
        said = _said(row)
        if said is None:
            continue
        about: Expected = {"user_id": row["user"], "timestamp": when, "course_id": course, "role": "student"}
        found.append(said | about)
        if row["Component"] == "Assignment" and row["Event.name"] in OPENED:
            pair = row["user"], str(said["item_id"])
            firsts[pair] = min(when, firsts.get(pair, when))
    for (user, work), when in firsts.items():
        found.append({
            "event_type": "VIEW_ASSIGNMENT_FIRST_TIME", "user_id": user, "timestamp": when, "course_id": course,
            "role": "student", "assignment_id": work, "assignment_type": kind_of_work(work),
        })  # fmt: skip
    return found + (_graded(results, course, last + timedelta(days=1)) if results else [])


def kind_of_work(name: str) -> str:
    """The type of an assignment, guessed from its name."""
    return "project" if "project" in name.lower() else "homework"


def _said(row: dict[str, str]) -> Expected | None:
    component, name = row["Component"], row["Event.name"]
    context = html.unescape(row["Event.context"])
    item = re.sub(r"^[^:]*: ?", "", context).strip() or context
    if component == "System":
        return {"event_type": "COURSE_VIEW"} if name == "Course viewed" else None
    if component in MATERIAL and name == "Course module viewed":
        return {"event_type": "ACCESS_COURSE_MATERIAL", "material_id": item, "material_type": MATERIAL[component]}
    if component == "Assignment" and name == "A submission has been submitted.":
        return {"event_type": "SUBMIT_ASSIGNMENT", "assignment_id": item, "assignment_type": kind_of_work(item)}
    if component == "File submissions" and name == "Submission updated.":
        return {"event_type": "EDIT_ASSIGNMENT", "assignment_id": item}
    if component == "Quiz" and name == "Quiz attempt started":
        return {"event_type": "QUIZ_STARTED", "quiz_id": item}
    opened = OPENED if component == "Assignment" else OPENED[:1]
    if name in opened or name in CLICKED.get(component, ()):
        return {"event_type": "ITEM_CLICK", "item_id": item, "item_type": component.lower()}
    return None


def _graded(path: Path, course: str, when: datetime) -> list[Expected]:
    found: list[Expected] = []
    for row in table(path):
        for column, text in row.items():
            if column.startswith("Grade.") and re.fullmatch(r"\d+(\.\d+)?", text) and float(text) <= 10:
                found.append({
                    "event_type": "GRADE_ASSIGNMENT", "user_id": "GV001", "role": "teacher", "timestamp": when,
                    "course_id": course, "student_id": row["user"], "assignment_id": column[6:],
                    "score": float(f"{float(text) * 10:.2f}"),
                })  # fmt: skip
    return found


def counted(log: Path) -> Counter[tuple[str, str]]:
    """Rows that become no event, by component and name."""
    return Counter((row["Component"], row["Event.name"]) for row in table(log) if _said(row) is None)
