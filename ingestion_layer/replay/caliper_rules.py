"""What becomes of which Caliper event: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.caliper_event import COURSES, Event, as_object, id_of, person_of
from ingestion_layer.replay.quantities import points, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule

ABOUT = """IMS Caliper 1.1 and 1.2, events or envelopes, and Open edX's dialect of it
The source is the event's type and action. Identifiers are kept whole; the course is the `group` (the section that a
`Group` belongs to), the membership's organization, what the object is part of (`isPartOf`, in its extensions too), or
the extension `course_id` of older Open edX, which tells times of a video by extensions too.
The role comes from the membership: Instructor and TeachingAssistant are teachers, Administrator is admin, Learner is
student; who is enrolled is a student. Playing up to a pause, a jump or the end becomes `VIDEO_WATCHED` too. Events of
Caliper 1.0 are counted as such.

What this platform exported carries its event in the extension `urn:learning-analytics:event`, and becomes that event.
"""
PLAYED = {"Started": "VIDEO_STARTED", "Resumed": "VIDEO_STARTED", "Restarted": "VIDEO_STARTED",
          "Paused": "VIDEO_PAUSED", "Ended": "VIDEO_COMPLETED"}  # fmt: skip
JUMPED = ("JumpedTo", "ForwardedTo")
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
Found = tuple[str, dict[str, Any]]


def _viewed(told: Event) -> Found:
    kind = told.kind()
    if kind in COURSES:
        return "COURSE_VIEW", {"course_id": told.thing()}
    if kind in READ:
        media = as_object(told.object).get("mediaType")
        form = "pdf" if media == "application/pdf" else "link" if kind.lower() == "webpage" else "document"
        return "ACCESS_COURSE_MATERIAL", {"material_id": told.thing(), "material_type": form}
    if kind == "AssignableDigitalResource":
        first = {"assignment_id": told.thing(), "assignment_type": "homework", "again": True}
        return "VIEW_ASSIGNMENT_FIRST_TIME", first
    return "ITEM_CLICK", {"item_id": told.thing(), "item_type": kind}


def _opened(told: Event) -> Found:
    return "VIEW_ASSIGNMENT_FIRST_TIME", {"assignment_id": told.thing(), "assignment_type": "homework"}


def _submitted(told: Event) -> Found:
    return "SUBMIT_ASSIGNMENT", {"assignment_id": id_of(as_object(told.object).get("assignable")) or told.thing()}


def _quiz(told: Event) -> Found:
    return "QUIZ_STARTED", {"quiz_id": id_of(as_object(told.object).get("assignable")) or told.thing()}


def _answered(told: Event) -> Found:
    earned, possible = told.extra("weighted_earned"), told.extra("weighted_possible")
    if earned is None or possible is None:
        raise Unmapped("says nothing of right answers; its GradeEvent does")
    right = whole(points(earned, possible, 0))
    return "QUIZ_COMPLETED", {"quiz_id": told.thing(), "correct_answers": right, "total_questions": 100}


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
    session = as_object(told.object)
    return "SESSION_EXPIRED", {"user": person_of(session.get("user")) or told.user(), "session_id": told.thing()}


def _enrolment(kind: str) -> Any:
    def make(told: Event) -> Found:
        course = told.thing() if told.kind() in COURSES else told.course() if told.kind() == "Membership" else None
        if course is None:
            raise Unmapped("not of a course")
        return kind, {"course_id": course, "role": "student"}

    return make


def _graded(told: Event) -> Found:
    attempt = as_object(told.object)
    around = as_object(attempt.get("extensions"))
    student = person_of(attempt.get("assignee")) or person_of(around.get("assignee"))
    work = attempt.get("assignable") or around.get("assignable")
    score = as_object(told.document.get("generated"))
    score = score if "scoreGiven" in score else as_object(score.get("score"))
    given, most = score.get("scoreGiven"), score.get("maxScore")
    if student is None:
        raise Unmapped("nobody's")
    if as_object(work).get("type") == "Assessment":
        right = {"correct_answers": whole(points(given, most, 0)), "total_questions": 100}
        return "QUIZ_COMPLETED", {"user": student, "role": "student", "quiz_id": id_of(work), **right}
    fields = {"student_id": student, "assignment_id": id_of(work), "score": points(given, most), "role": "teacher"}
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
        "from `target.currentTime` to `extensions.newTime` (or `new_time`); else from `extensions.oldTime` (or "
        "`old_time`), or the position last heard of in the session, to `target.currentTime`",
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
    Rule(
        ("AssessmentEvent Submitted",),
        "QUIZ_COMPLETED",
        _answered,
        "where extensions tell `weighted_earned` and `weighted_possible`, as older Open edX does: points of a hundred "
        "as right answers; else none, as the GradeEvent has them",
    ),
    Rule(
        ("GradeEvent Graded",),
        "QUIZ_COMPLETED, GRADE_ASSIGNMENT",
        _graded,
        "of an Assessment, by the assignee: points of a hundred as right answers; of anything else: of 100 points, by "
        "the actor",
    ),
    Rule(("ResourceManagementEvent Downloaded",), "DOWNLOAD_MATERIAL", _downloaded),
    Rule(
        ("Event Activated",),
        "COURSE_ENROLLED",
        _enrolment("COURSE_ENROLLED"),
        "of a course, or a Membership whose extension names one; role student",
    ),
    Rule(
        ("Event Deactivated",),
        "COURSE_DROPPED",
        _enrolment("COURSE_DROPPED"),
        "of a course, or a Membership whose extension names one; role student",
    ),
)
