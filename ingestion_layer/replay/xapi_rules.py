"""What becomes of which xAPI verb: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.quantities import points, position, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule
from ingestion_layer.replay.xapi_statement import VIDEO, Statement, as_object, user_of

ABOUT = """statements of the video profile, of Open edX's event-routing-backends and the like
The source is the last part of the verb's id. The user is the account with its home page, else `mbox`, `mbox_sha1sum` or
`openid`; the course is the object where it is one, else the parent (or grouping) activity; the session is the extension
`session-id` of the video profile or of Open edX, else the registration, else a day of somebody's, as for Moodle's
logins. Who is registered to a course is a student in it. Of an attempt or a submission the item is the assessment or
assignment that it stands in. Statements that another one of the same call voids are counted.

Any statement with `played-segments` becomes a `VIDEO_WATCHED` for each part of a segment that no earlier statement of
the session had. Where a session lists none, what lies between play and the next pause, seek, completion or termination
is one.

What this platform exported carries its event in the extension `urn:learning-analytics:event`, and becomes that event.
"""
GRADER = "edx-grader"
MATERIALS = {"document": "document", "file": "document", "page": "document", "resource": "document", "link": "link",
             "url": "link", "webpage": "link"}  # fmt: skip
Found = tuple[str, dict[str, Any]]


def _place(statement: Statement) -> dict[str, float]:
    return {"position_seconds": position(statement.told.get(f"{VIDEO}time"))}


def _jump(statement: Statement) -> dict[str, float]:
    told = statement.told
    return {
        "from_seconds": position(told.get(f"{VIDEO}time-from")),
        "to_seconds": position(told.get(f"{VIDEO}time-to")),
    }


def _enrolment(kind: str) -> Any:
    def make(statement: Statement) -> tuple[str, dict[str, Any]]:
        course = statement.course or statement.thing
        return kind, {"course_id": course, "role": "student"}

    return make


def _download(statement: Statement) -> tuple[str, dict[str, Any]]:
    return "DOWNLOAD_MATERIAL", {"resource_id": statement.thing}


def _evaluated(statement: Statement) -> Found:
    score = as_object(statement.result.get("score"))
    if not {"raw", "scaled"} & score.keys():
        raise Unmapped("says nothing of right answers")
    # Of several questions in one problem each has a statement, without a score; that of all of them counts.
    right = (
        points(score["raw"], score["max"], 0) if {"raw", "max"} <= score.keys() else points(score.get("scaled"), 1, 0)
    )
    quiz = {"quiz_id": statement.item, "correct_answers": whole(right), "total_questions": 100}
    if statement.kind == "course":
        raise Unmapped("is a course's grade")
    return "QUIZ_COMPLETED", quiz


def _earned(statement: Statement) -> Found:
    if statement.kind == "course":
        raise Unmapped("is a course's grade")
    score = as_object(statement.result.get("score"))
    student = statement.user
    if student is None:
        raise Unmapped("nobody's")
    graded = {
        "student_id": student,
        "assignment_id": statement.thing,
        "score": points(score.get("raw"), score.get("max")),
    }
    return "GRADE_ASSIGNMENT", {"user": GRADER, "role": "teacher", **graded}


def _viewed(statement: Statement) -> Found:
    kind = statement.kind
    if kind == "course":
        return "COURSE_VIEW", {"course_id": statement.thing}
    if kind in MATERIALS:
        return "ACCESS_COURSE_MATERIAL", {"material_id": statement.thing, "material_type": MATERIALS[kind]}
    return "ITEM_CLICK", {"item_id": statement.thing, "item_type": kind or "activity"}


def _clicked(statement: Statement) -> Found:
    return "ITEM_CLICK", {"item_id": statement.thing, "item_type": statement.kind or "activity"}


def _begun(statement: Statement) -> Found:
    if not statement.kind.endswith(("assessment", "attempt")) and "/mod/quiz/" not in (statement.thing or ""):
        raise Unmapped("says nothing that our events say")
    return "QUIZ_STARTED", {"quiz_id": statement.item}


def _over(statement: Statement) -> Found:
    if not statement.kind.endswith("assessment"):
        raise Unmapped("says nothing that our events say")
    return "SUBMIT_ASSIGNMENT", {"assignment_id": statement.thing, "assignment_type": "lab"}


def _handed_in(statement: Statement) -> Found:
    return "SUBMIT_ASSIGNMENT", {"assignment_id": statement.item}


def _left(statement: Statement) -> Found:
    if statement.kind != "course":
        raise Unmapped("is not of a course")
    return "COURSE_DROPPED", {"course_id": statement.thing, "role": "student"}


def _scored(statement: Statement) -> Found:
    """What an instructor gives is a grade, as Moodle tells it; the rest is a quiz's own counting."""
    teacher = user_of(statement.context.get("instructor"))
    if teacher is None or statement.kind == "course":
        return _evaluated(statement)
    if statement.kind.startswith("review"):
        raise Unmapped("is one question's grade")
    score = as_object(statement.result.get("score"))
    given = (score["raw"], score["max"]) if {"raw", "max"} <= score.keys() else (score.get("scaled"), 1)
    graded = {"student_id": statement.user, "assignment_id": statement.item, "score": points(*given)}
    return "GRADE_ASSIGNMENT", {"user": teacher, "role": "teacher", **graded}


def _logged(kind: str) -> Any:
    def make(statement: Statement) -> Found:
        return kind, {"session_id": statement.session}

    return make


RULES: tuple[Rule, ...] = (
    Rule(("played",), "VIDEO_STARTED", _place, "at `time`, in whole seconds"),
    Rule(("paused",), "VIDEO_PAUSED", _place, "at `time`"),
    Rule(("completed",), "VIDEO_COMPLETED", _place, "at `time`; of anything but a video with a score `QUIZ_COMPLETED`"),
    Rule(("seeked",), "VIDEO_SEEKED", _jump, "from `time-from` to `time-to`"),
    Rule(("terminated",), "SUBMIT_ASSIGNMENT", _over, "of an assessment (type lab); of a video it ends the playing"),
    Rule(("initialized", "start"), "QUIZ_STARTED", _begun, "of an assessment, an attempt at one, or Moodle's quiz"),
    Rule(("downloaded",), "DOWNLOAD_MATERIAL", _download),
    Rule(
        ("registered", "enrolled"),
        "COURSE_ENROLLED",
        _enrolment("COURSE_ENROLLED"),
        "of the course that is its object; role student",
    ),
    Rule(
        ("unregistered",),
        "COURSE_DROPPED",
        _enrolment("COURSE_DROPPED"),
        "of the course that is its object; role student",
    ),
    Rule(("leave",), "COURSE_DROPPED", _left, "of a course; role student"),
    Rule(
        ("evaluated", "passed", "failed"),
        "QUIZ_COMPLETED",
        _evaluated,
        "of anything but a course, with a score: points of a hundred as right answers",
    ),
    Rule(
        ("scored",),
        "GRADE_ASSIGNMENT, QUIZ_COMPLETED",
        _scored,
        "with an instructor, as Moodle tells grades: of 100 points, by the instructor, to the actor; else as "
        "`evaluated`",
    ),
    Rule(
        ("earned",),
        "GRADE_ASSIGNMENT",
        _earned,
        f"of anything but a course: of 100 points, by `{GRADER}`, to the actor",
    ),
    Rule(
        ("viewed",),
        "COURSE_VIEW, ACCESS_COURSE_MATERIAL, ITEM_CLICK",
        _viewed,
        "by the object's type: a course; a document, file, page, resource or link; anything else",
    ),
    Rule(
        ("navigated", "posted", "edited", "deleted", "voted", "reported", "unreported", "bookmarked", "unbookmarked"),
        "ITEM_CLICK",
        _clicked,
        "on the object, of its type",
    ),
    Rule(("submitted", "submit"), "SUBMIT_ASSIGNMENT", _handed_in),
    Rule(("logged-in", "loggedin", "login"), "LOGIN", _logged("LOGIN"), "role student where none is told"),
    Rule(("logged-out", "loggedout", "logout"), "LOGOUT", _logged("LOGOUT"), "role student where none is told"),
)
