"""What becomes of which xAPI verb: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import LARGEST, points, position, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule

ABOUT = """statements of the video profile, of Open edX's event-routing-backends and the like
The source is the last part of the verb's id. The user is the account with its home page, else `mbox`, `mbox_sha1sum` or
`openid`; the course is the object where it is one, else the parent (or grouping) activity; the session is the extension
`session-id` of the video profile or of Open edX, else the registration, else a day of somebody's. Who is registered to
a course is a student in it. Statements that another one of the same call voids are counted.

Any statement with `played-segments` becomes a `VIDEO_WATCHED` for each part of a segment that no earlier statement of
the session had. Where a session lists none, what lies between play and the next pause, seek, completion or termination
is one.

What this platform exported carries its event in the extension `urn:learning-analytics:event`, and becomes that event.
"""
VIDEO = "https://w3id.org/xapi/video/extensions/"
OPENEDX = "https://w3id.org/xapi/openedx/extensions/"
GRADER = "edx-grader"
MATERIALS = {"document": "document", "file": "document", "page": "document", "resource": "document", "link": "link",
             "url": "link", "webpage": "link"}  # fmt: skip
Segments = list[tuple[float, float]]
Found = tuple[str, dict[str, Any]]


class Statement:
    """A statement's parts, whatever form they have; `verb` is the last part of its verb's id, `kind` of its object's
    type.
    """

    __slots__ = (
        "_course",
        "_session",
        "context",
        "document",
        "extensions",
        "kind",
        "result",
        "thing",
        "told",
        "user",
        "verb",
    )

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.verb: str = document["verb"]["id"].rstrip("/").rpartition("/")[2]
        self.context = context = _object(document.get("context"))
        self.extensions = _object(context.get("extensions"))
        self.result = result = _object(document.get("result"))
        self.told = _object(result.get("extensions"))
        thing = document.get("object")
        self.kind = _kind(thing)
        self.thing = _identified(thing)
        self.user = user_of(document.get("actor"))
        self._course: str | None = ""
        self._session: str | None = ""

    @property
    def course(self) -> str | None:
        """The course: the object where it is one, or the activity that it stands in."""
        if self._course == "":
            self._course = self._found_course()
        return self._course

    def _found_course(self) -> str | None:
        if self.kind == "course":
            return self.thing
        around = _object(self.context.get("contextActivities"))
        for name in ("parent", "grouping"):
            activities = around.get(name)
            listed = activities if isinstance(activities, list) else [activities]
            courses = [a for a in listed if _kind(a) == "course"]
            for activity in courses or (listed if name == "parent" else []):
                if found := _identified(activity):
                    return found
        return None

    @property
    def session(self) -> str | None:
        """The session under either extension, else the registration."""
        if self._session == "":
            told, context = self.extensions, self.context
            self._session = (
                identifier(told.get(f"{VIDEO}session-id"))
                or identifier(told.get(f"{OPENEDX}session-id"))
                or identifier(context.get("registration"))
            )
        return self._session

    def segments(self) -> Segments | None:
        """The spans that the player lists, None where it lists none; one that can't be read is left out."""
        text = self.told.get(f"{VIDEO}played-segments")
        if text is None:
            return None
        spans = []
        for segment in text.split("[,]") if isinstance(text, str) else []:
            begin, _, end = segment.partition("[.]")
            try:
                first, last = float(begin), float(end)
            except ValueError:
                continue
            if 0 <= first < last <= LARGEST:  # so neither is infinite or none
                spans.append((first, last))
        return spans


def user_of(actor: Any) -> str | None:
    """Who: an account of its home page, an address or its hash, an OpenID; None for nobody."""
    if not isinstance(actor, dict):
        return None
    account = actor.get("account")
    if isinstance(account, dict) and (name := person(account.get("name"))):
        page = account.get("homePage")
        return identifier(f"{name}@{page}" if isinstance(page, str) and page else name)
    found = next((person(actor[name]) for name in ("mbox", "mbox_sha1sum", "openid") if actor.get(name)), None)
    return found.removeprefix("mailto:") if found and found != "mailto:" else None


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _identified(thing: Any) -> str | None:
    found = identifier(thing.get("id") if isinstance(thing, dict) else thing)
    return found.removeprefix("uuid://") if found else None


def _kind(thing: Any) -> str:
    kind = _object(_object(thing).get("definition")).get("type")
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


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
    score = _object(statement.result.get("score"))
    if not {"raw", "scaled"} & score.keys():
        raise Unmapped("says nothing of right answers")
    # Of several questions in one problem each has a statement, without a score; that of all of them counts.
    right = (
        points(score["raw"], score["max"], 0) if {"raw", "max"} <= score.keys() else points(score.get("scaled"), 1, 0)
    )
    quiz = {"quiz_id": statement.thing, "correct_answers": whole(right), "total_questions": 100}
    if statement.kind == "course":
        raise Unmapped("is a course's grade")
    return "QUIZ_COMPLETED", quiz


def _earned(statement: Statement) -> Found:
    if statement.kind == "course":
        raise Unmapped("is a course's grade")
    score = _object(statement.result.get("score"))
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
    if not statement.kind.endswith("assessment"):
        raise Unmapped("says nothing that our events say")
    return "QUIZ_STARTED", {"quiz_id": statement.thing}


def _over(statement: Statement) -> Found:
    if not statement.kind.endswith("assessment"):
        raise Unmapped("says nothing that our events say")
    return "SUBMIT_ASSIGNMENT", {"assignment_id": statement.thing, "assignment_type": "lab"}


def _handed_in(statement: Statement) -> Found:
    return "SUBMIT_ASSIGNMENT", {"assignment_id": statement.thing}


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
    Rule(("initialized",), "QUIZ_STARTED", _begun, "of an assessment"),
    Rule(("downloaded",), "DOWNLOAD_MATERIAL", _download),
    Rule(
        ("registered",),
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
    Rule(
        ("evaluated", "passed", "failed", "scored"),
        "QUIZ_COMPLETED",
        _evaluated,
        "of anything but a course, with a score: points of a hundred as right answers",
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
    Rule(("logged-in",), "LOGIN", _logged("LOGIN"), "role student where none is told"),
    Rule(("logged-out",), "LOGOUT", _logged("LOGOUT"), "role student where none is told"),
)
