"""What becomes of which Caliper event: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import points, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule

ABOUT = """IMS Caliper 1.1 and 1.2, events or envelopes, and Open edX's dialect of it
The source is the event's type and action. Identifiers are kept whole; the course is the `group` (the section that a
`Group` belongs to), the membership's organization, or what the object is part of (`isPartOf`, in its extensions too).
The role comes from the membership: Instructor and TeachingAssistant are teachers, Administrator is admin, Learner is
student; who is enrolled is a student. Playing up to a pause, a jump or the end becomes `VIDEO_WATCHED` too. Events of
Caliper 1.0 are counted as such.

What this platform exported carries its event in the extension `urn:learning-analytics:event`, and becomes that event.
"""
PLAYED = {"Started": "VIDEO_STARTED", "Resumed": "VIDEO_STARTED", "Restarted": "VIDEO_STARTED",
          "Paused": "VIDEO_PAUSED", "Ended": "VIDEO_COMPLETED"}  # fmt: skip
JUMPED = ("JumpedTo", "ForwardedTo")
COURSES = ("CourseSection", "CourseOffering")
READ = (
    "DigitalResource",
    "Document",
    "WebPage",
    "Webpage",
    "Page",
    "Chapter",
    "Frame",
    "Reading",
    "EpubVolume",
    "EpubChapter",
)
ROLES = (
    ("Instructor", "teacher"),
    ("TeachingAssistant", "teacher"),
    ("Administrator", "admin"),
    ("Learner", "student"),
)
PREFIX = "http://purl.imsglobal.org/caliper/"
Found = tuple[str, dict[str, Any]]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(thing: Any) -> str | None:
    """The identifier of an entity, which may be given by it alone."""
    return identifier(thing.get("id") if isinstance(thing, dict) else thing)


def _person(thing: Any) -> str | None:
    return person(thing.get("id") if isinstance(thing, dict) else thing)


def key_of(document: dict[str, Any]) -> str:
    """Type and action, by which rules are found."""
    kind, action = document["type"], document["action"]
    return f"{kind.removeprefix(PREFIX)} {action.removeprefix(PREFIX + 'actions/')}"


class Event:
    """A Caliper event's parts, whatever form they have."""

    __slots__ = ("action", "document", "object", "type")

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.type, _, self.action = key_of(document).partition(" ")
        self.object = document.get("object")

    def user(self) -> str | None:
        """The actor."""
        return _person(self.document.get("actor"))

    def thing(self) -> str | None:
        """The object."""
        return _id(self.object)

    def kind(self) -> str:
        """The object's type."""
        kind = _object(self.object).get("type")
        return kind if isinstance(kind, str) and kind else "DigitalResource"

    def session(self) -> str | None:
        """The session."""
        return _id(self.document.get("session"))

    def place(self) -> Any:
        """The position in a video, as it is written."""
        target = _object(self.document.get("target"))
        return target.get("currentTime", _object(self.object).get("currentTime"))

    def length(self) -> Any:
        """The length of a video, as it is written."""
        return _object(self.object).get("duration")

    def extra(self, name: str) -> Any:
        """What an extension says: the event's, the target's or the object's."""
        target = _object(self.document.get("target"))
        for around in (self.document, target, _object(self.object)):
            found = _object(around.get("extensions")).get(name)
            if found is not None:
                return found
        return None

    def course(self) -> str | None:
        """The group (the section that a Group belongs to), else the membership's organization, else what the object is
        part of.
        """
        membership = _object(self.document.get("membership"))
        for group in (self.document.get("group"), membership.get("organization")):
            inner = _object(group)
            if inner.get("type") == "Group" and inner.get("subOrganizationOf"):
                group = inner["subOrganizationOf"]
            if found := _id(group):
                return found
        if self.kind() in COURSES:
            return self.thing()
        thing = _object(self.object)
        around = _object(thing.get("extensions"))
        for part in (around.get("isPartOf"), thing.get("isPartOf"), _object(around.get("assignable")).get("isPartOf")):
            for _ in range(4):  # a page of a chapter of a course
                inner = _object(part)
                if inner.get("type") in COURSES:
                    return _id(inner)
                part = inner.get("isPartOf")
        return None

    def role(self) -> str | None:
        """What the membership says that the actor is."""
        roles = _object(self.document.get("membership")).get("roles")
        names = " ".join(str(role) for role in (roles if isinstance(roles, list) else [roles or ""]))
        return next((role for sign, role in ROLES if sign in names), None)


def _viewed(told: Event) -> Found:
    kind = told.kind()
    if kind in COURSES:
        return "COURSE_VIEW", {"course_id": told.thing()}
    if kind in READ:
        media = _object(told.object).get("mediaType")
        form = "pdf" if media == "application/pdf" else "link" if kind.lower() == "webpage" else "document"
        return "ACCESS_COURSE_MATERIAL", {"material_id": told.thing(), "material_type": form}
    if kind == "AssignableDigitalResource":
        first = {"assignment_id": told.thing(), "assignment_type": "homework", "again": True}
        return "VIEW_ASSIGNMENT_FIRST_TIME", first
    return "ITEM_CLICK", {"item_id": told.thing(), "item_type": kind}


def _opened(told: Event) -> Found:
    return "VIEW_ASSIGNMENT_FIRST_TIME", {"assignment_id": told.thing(), "assignment_type": "homework"}


def _submitted(told: Event) -> Found:
    return "SUBMIT_ASSIGNMENT", {"assignment_id": _id(_object(told.object).get("assignable")) or told.thing()}


def _quiz(told: Event) -> Found:
    return "QUIZ_STARTED", {"quiz_id": _id(_object(told.object).get("assignable")) or told.thing()}


def _no_answers(told: Event) -> Found:
    raise Unmapped("says nothing of right answers; its GradeEvent does")


def _downloaded(told: Event) -> Found:
    return "DOWNLOAD_MATERIAL", {"resource_id": told.thing()}


def _session(kind: str) -> Any:
    def make(told: Event) -> Found:
        session = told.session()
        if session is None:
            raise Unmapped("no session")
        return kind, {"session_id": session, "role": told.role()}

    return make


def _expired(told: Event) -> Found:
    session = _object(told.object)
    return "SESSION_EXPIRED", {"user": _person(session.get("user")) or told.user(), "session_id": told.thing()}


def _enrolment(kind: str) -> Any:
    def make(told: Event) -> Found:
        if told.kind() not in COURSES:
            raise Unmapped("not of a course")
        return kind, {"course_id": told.thing(), "role": "student"}

    return make


def _graded(told: Event) -> Found:
    attempt = _object(told.object)
    around = _object(attempt.get("extensions"))
    student = _person(attempt.get("assignee")) or _person(around.get("assignee"))
    work = attempt.get("assignable") or around.get("assignable")
    score = _object(told.document.get("generated"))
    score = score if "scoreGiven" in score else _object(score.get("score"))
    given, most = score.get("scoreGiven"), score.get("maxScore")
    if student is None:
        raise Unmapped("nobody's")
    if _object(work).get("type") == "Assessment":
        right = whole(points(given, most, 0))
        return "QUIZ_COMPLETED", {
            "user": student, "role": "student", "quiz_id": _id(work), "correct_answers": right, "total_questions": 100,
        }  # fmt: skip
    fields = {"student_id": student, "assignment_id": _id(work), "score": points(given, most), "role": "teacher"}
    return "GRADE_ASSIGNMENT", fields


def _media(told: Event) -> Found:
    raise Unmapped("is a place in a video")


RULES: tuple[Rule, ...] = (
    Rule(("SessionEvent LoggedIn",), "LOGIN", _session("LOGIN"), "role student where none is told"),
    Rule(("SessionEvent LoggedOut",), "LOGOUT", _session("LOGOUT"), "role student where none is told"),
    Rule(("SessionEvent TimedOut",), "SESSION_EXPIRED", _expired, "of the session's user"),
    Rule(
        ("MediaEvent Started", "MediaEvent Resumed", "MediaEvent Restarted"),
        "VIDEO_STARTED",
        _media,
        "at `target.currentTime`, in whole seconds; at the beginning where it tells none",
    ),
    Rule(("MediaEvent Paused",), "VIDEO_PAUSED", _media, "at `target.currentTime`"),
    Rule(
        ("MediaEvent Ended",),
        "VIDEO_COMPLETED",
        _media,
        "at `target.currentTime`, else at the video's length, else at the position last heard of",
    ),
    Rule(
        ("MediaEvent JumpedTo", "MediaEvent ForwardedTo"),
        "VIDEO_SEEKED",
        _media,
        "from `target.currentTime` to `extensions.newTime`; else from `extensions.oldTime`, or the position last heard "
        "of in the session, to `target.currentTime`",
    ),
    Rule(
        ("NavigationEvent NavigatedTo", "ViewEvent Viewed", "Event Viewed"),
        "COURSE_VIEW, ACCESS_COURSE_MATERIAL, VIEW_ASSIGNMENT_FIRST_TIME, ITEM_CLICK",
        _viewed,
        "by the object's type: a CourseSection or CourseOffering; a document, page, chapter, frame or other "
        "DigitalResource (pdf by its media type, link for a WebPage, else document); an AssignableDigitalResource for "
        "the first time (type homework); anything else",
    ),
    Rule(("AssignableEvent Started",), "VIEW_ASSIGNMENT_FIRST_TIME", _opened, "a user's first; type homework"),
    Rule(("AssignableEvent Submitted",), "SUBMIT_ASSIGNMENT", _submitted, "of the attempt's assignable"),
    Rule(("AssessmentEvent Started",), "QUIZ_STARTED", _quiz),
    Rule(("AssessmentEvent Submitted",), "(none)", _no_answers, "lacks the right answers; the GradeEvent has them"),
    Rule(
        ("GradeEvent Graded",),
        "QUIZ_COMPLETED, GRADE_ASSIGNMENT",
        _graded,
        "of an Assessment, by the assignee: points of a hundred as right answers; of anything else: of 100 points, by "
        "the actor",
    ),
    Rule(("ResourceManagementEvent Downloaded",), "DOWNLOAD_MATERIAL", _downloaded),
    Rule(("Event Activated",), "COURSE_ENROLLED", _enrolment("COURSE_ENROLLED"), "of a course; role student"),
    Rule(("Event Deactivated",), "COURSE_DROPPED", _enrolment("COURSE_DROPPED"), "of a course; role student"),
)
