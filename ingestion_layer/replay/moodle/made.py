"""What one row of a log becomes, once it is known whose it is and of which course."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestion_layer.replay.identity import identifier
from ingestion_layer.replay.moodle.columns import LogRow
from ingestion_layer.replay.moodle.mappings import Kind, Mapping
from ingestion_layer.replay.quantities import points
from ingestion_layer.replay.row import Unmapped

Made = tuple[str, str, dict[str, Any]]  # type of the event, its user, and its fields
NOBODY = "nobody did it"
_ON_COURSES = frozenset((Kind.VIEW, Kind.ENROLLED, Kind.DROPPED))


def made(mapping: Mapping, row: LogRow, actor: str | None, concerned: str | None) -> Iterator[Made]:
    """The events of a row; `actor` did it and `concerned` is whom it concerns. Raises Unmapped."""
    if mapping.kind is Kind.ROLE:
        raise Unmapped("only tells a role")
    if mapping.kind in (Kind.ENROLLED, Kind.DROPPED):
        name = "COURSE_ENROLLED" if mapping.kind is Kind.ENROLLED else "COURSE_DROPPED"
        yield name, _somebody(concerned, "doesn't tell who"), {}
        return
    user = _somebody(actor, NOBODY)
    if mapping.kind is Kind.VIEW:
        yield "COURSE_VIEW", user, {}
    elif mapping.kind is Kind.GRADED:
        yield _graded(row, user, concerned)
    else:
        yield from _of_item(mapping, row, user, concerned)


def _of_item(mapping: Mapping, row: LogRow, user: str, concerned: str | None) -> Iterator[Made]:
    item = identifier(row.item())
    if item is None:
        raise Unmapped("doesn't tell of what")
    click = {"item_id": item, "item_type": mapping.component.lower()}
    match mapping.kind:
        case Kind.DOCUMENT | Kind.LINK:
            form = "document" if mapping.kind is Kind.DOCUMENT else "link"
            yield "ACCESS_COURSE_MATERIAL", user, {"material_id": item, "material_type": form}
        case Kind.DOWNLOAD:
            yield "DOWNLOAD_MATERIAL", user, {"resource_id": item}
        case Kind.OPENED:
            yield "ITEM_CLICK", user, click
            yield "VIEW_ASSIGNMENT_FIRST_TIME", user, {"assignment_id": item, "assignment_type": kind_of_work(item)}
        case Kind.SUBMITTED:
            yield "SUBMIT_ASSIGNMENT", user, {"assignment_id": item, "assignment_type": kind_of_work(item)}
        case Kind.EDITED:
            yield "EDIT_ASSIGNMENT", user, {"assignment_id": item}
        case Kind.QUIZ:
            yield "QUIZ_STARTED", user, {"quiz_id": item}
        case Kind.WORK if concerned not in (None, user):
            yield "VIEW_STUDENT_WORK", user, {"role": "teacher", "student_id": concerned, "assignment_id": item}
        case _:
            yield "ITEM_CLICK", user, click


def _graded(row: LogRow, user: str, concerned: str | None) -> Made:
    found = row.grade()
    if not found:
        raise Unmapped("doesn't tell the grade")
    student = _somebody(concerned, "doesn't tell whose grade it is")
    about = {"role": "teacher", "student_id": student, "assignment_id": found[0], "score": points(found[1], 100)}
    return "GRADE_ASSIGNMENT", user, about


def _somebody(user: str | None, reason: str) -> str:
    if user is None:
        raise Unmapped(reason)
    return user


def on_course(mapping: Mapping) -> bool:
    """Whether the context of the event is a course, in whatever language the row says so."""
    return mapping.kind in _ON_COURSES


def kind_of_work(name: str) -> str:
    """Type of an assignment: project where its name says so."""
    return "project" if "project" in name.lower() else "homework"
