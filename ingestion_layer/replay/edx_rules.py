"""What becomes of which edX event: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import number, points, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule

ABOUT = """tracking logs, as servers write them or as they are routed on (`data`, `timestamp`)
The user is `context.user_id`, else the number that other lines give the `username`, else the `username`; the course is
`context.course_id`, else the path's. Who is enrolled in a course or writes to its forum as a student is a student in
it, staff are teachers. Identity is made of name, time, user, course, session and body, in either form. Without a
session, as mobile apps send, a day of somebody's is one. Playing up to a pause, a seek or the stop becomes
`VIDEO_WATCHED` too. A play in between begins the playing again, but where it finds the video where the clock has
brought it. The body may be cut short where it isn't needed.
"""
GRADER = "edx-grader"
VIDEO = frozenset(("VIDEO_STARTED", "VIDEO_PAUSED", "VIDEO_COMPLETED", "VIDEO_SEEKED"))
PAGE_NAMES = "/courses/<course>/, and its course, info, courseware, progress, about"
_COURSE = r"(?:course-v1|ccx-v1):[^/]+|[^/:]+/[^/:]+/[^/:]+"
_PAGE = re.compile(rf"/courses/({_COURSE})(?:/(?:(?:course|info|courseware|progress|about)(?:/.*)?)?)?")
Found = tuple[str, dict[str, Any]]


def page_course(name: str) -> str | None:
    """The course of a page's path."""
    page = _PAGE.fullmatch(unquote(name.partition("?")[0]).replace(" ", "+"))
    return identifier(page[1]) if page else None


def _page(line: Any) -> Found:
    if page_course(line.name) is None:
        raise Unmapped("none of a course's")
    return "COURSE_VIEW", {}


def _problem(line: Any) -> Found:
    if line.packed:
        raise Unmapped("the browser's copy, the server tells the answers")
    body = line.body
    parts = [answer.get("correctness") for answer in (body.get("correct_map") or {}).values()]
    right = parts.count("correct")
    try:
        full = number(body["grade"]) == number(body["max_grade"]) > 0
    except (KeyError, ValueError):
        full = False
    if not parts:  # what was answered isn't told, but what it was worth
        total = whole(number(body["max_grade"]))
        return "QUIZ_COMPLETED", {
            "quiz_id": identifier(body.get("problem_id")),
            "correct_answers": min(whole(max(0.0, number(body["grade"]))), total),
            "total_questions": total,
        }
    quiz = {"quiz_id": identifier(body.get("problem_id")), "correct_answers": len(parts) if full else right}
    return "QUIZ_COMPLETED", quiz | {"total_questions": len(parts)}


def _item(kind: str, *names: str) -> Any:
    """A click on what the first of `names` (a path into the body) names."""

    def make(line: Any) -> Found:
        for name in names:
            value: Any = line.body
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if found := identifier(value):
                return "ITEM_CLICK", {"item_id": found, "item_type": kind}
        raise Unmapped("says not on what")

    return make


def _module(line: Any) -> Any:
    module = line.context.get("module")
    return identifier(module.get("usage_key") if isinstance(module, dict) else None)


def _essay(line: Any) -> Found:
    return "SUBMIT_ASSIGNMENT", {"assignment_id": _module(line), "assignment_type": "essay"}


def _draft(line: Any) -> Found:
    return "EDIT_ASSIGNMENT", {"assignment_id": _module(line)}


def _book(line: Any) -> Found:
    return "ACCESS_COURSE_MATERIAL", {"material_id": identifier(line.body.get("chapter")), "material_type": "pdf"}


def _profile(line: Any) -> Found:
    body = line.body
    names = [name for name in (body.get("setting"),) if isinstance(name, str) and name]
    return "UPDATE_PROFILE", {"user": body.get("user_id"), "updated_fields": names or None}


def _exam(line: Any) -> tuple[str | None, dict[str, Any]]:
    body = line.body
    about = {"user": body.get("attempt_user_id") or body.get("user_id"), "course": body.get("exam_course_id")}
    return identifier(body.get("exam_content_id")) or identifier(body.get("exam_id")), about


def _exam_started(line: Any) -> Found:
    exam, about = _exam(line)
    return "QUIZ_STARTED", {**about, "quiz_id": exam}


def _exam_submitted(line: Any) -> Found:
    exam, about = _exam(line)
    return "SUBMIT_ASSIGNMENT", {**about, "assignment_id": exam, "assignment_type": "lab"}


def _subsection(line: Any) -> Found:
    body = line.body
    student = person(body.get("user_id"))
    if student is None:
        raise Unmapped("nobody's")
    pairs = (
        ("weighted_graded_earned", "weighted_graded_possible"),
        ("weighted_total_earned", "weighted_total_possible"),
    )
    earned, possible = next(((e, p) for e, p in pairs if body.get(p)), pairs[0])
    return "GRADE_ASSIGNMENT", {
        "user": GRADER, "role": "teacher", "student_id": student, "course": body.get("course_id"),
        "assignment_id": identifier(body.get("block_id")), "score": points(body.get(earned), body.get(possible)),
    }  # fmt: skip


def _exams(what: str) -> tuple[str, ...]:
    return tuple(f"edx.special_exam.{kind}.attempt.{what}" for kind in ("timed", "practice", "proctored"))


def _forum(*names: str) -> tuple[str, ...]:
    return tuple(f"edx.forum.{name}" for name in names)


RULES: tuple[Rule, ...] = (
    Rule(
        ("edx.course.enrollment.activated",), "COURSE_ENROLLED", _page, "the event's own user and course; role student"
    ),
    Rule(
        ("edx.course.enrollment.deactivated",), "COURSE_DROPPED", _page, "the event's own user and course; role student"
    ),
    Rule(("play_video", "edx.video.played"), "VIDEO_STARTED", _page, "at `currentTime`, in whole seconds"),
    Rule(("pause_video", "edx.video.paused"), "VIDEO_PAUSED", _page, "at `currentTime`"),
    Rule(("stop_video", "edx.video.stopped"), "VIDEO_COMPLETED", _page, "at `currentTime`"),
    Rule(("seek_video", "edx.video.position.changed"), "VIDEO_SEEKED", _page, "from `old_time` to `new_time`"),
    Rule(
        ("problem_check",),
        "QUIZ_COMPLETED",
        _problem,
        "the server's: parts of `correct_map` that are correct, of all; all where the grade is full",
    ),
    Rule(("openassessmentblock.create_submission",), "SUBMIT_ASSIGNMENT", _essay, "type essay"),
    Rule(("openassessmentblock.save_submission",), "EDIT_ASSIGNMENT", _draft),
    Rule(_exams("started"), "QUIZ_STARTED", _exam_started, "of the attempt's user"),
    Rule(_exams("submitted"), "SUBMIT_ASSIGNMENT", _exam_submitted, "type lab, of the attempt's user"),
    Rule(
        ("edx.grades.subsection.grade_calculated",),
        "GRADE_ASSIGNMENT",
        _subsection,
        f"of 100 points by `{GRADER}`: graded points, else all",
    ),
    Rule(
        ("book", "textbook.pdf.page.loaded", "textbook.pdf.page.navigated"),
        "ACCESS_COURSE_MATERIAL",
        _book,
        "type pdf: the chapter",
    ),
    Rule(
        (
            "seq_next",
            "seq_prev",
            "seq_goto",
            "edx.ui.lms.sequence.next_selected",
            "edx.ui.lms.sequence.previous_selected",
            "edx.ui.lms.sequence.tab_selected",
        ),
        "ITEM_CLICK",
        _item("sequence", "id"),
        "on the sequence",
    ),
    Rule(("edx.ui.lms.link_clicked",), "ITEM_CLICK", _item("link", "target_url"), "on the target"),
    Rule(("edx.ui.lms.outline.selected",), "ITEM_CLICK", _item("outline", "target_url"), "on the target"),
    Rule(
        ("edx.bookmark.added", "edx.bookmark.removed", "edx.bookmark.accessed"),
        "ITEM_CLICK",
        _item("bookmark", "component_usage_id", "bookmark_id"),
        "on what is marked",
    ),
    Rule(
        _forum(
            "thread.created",
            "thread.viewed",
            "thread.edited",
            "thread.deleted",
            "thread.voted",
            "thread.followed",
            "thread.unfollowed",
            "thread.reported",
            "thread.unreported",
        ),
        "ITEM_CLICK",
        _item("forum", "id"),
        "on the thread",
    ),
    Rule(
        _forum(
            "response.created",
            "response.edited",
            "response.deleted",
            "response.voted",
            "response.reported",
            "response.unreported",
            "comment.created",
            "comment.edited",
            "comment.deleted",
            "comment.reported",
            "comment.unreported",
        ),
        "ITEM_CLICK",
        _item("forum", "discussion.id", "id"),
        "on the thread that it belongs to, else on itself",
    ),
    Rule(("edx.course.tool.accessed",), "ITEM_CLICK", _item("tool", "tool_name"), "on the tool"),
    Rule(("edx.user.settings.changed",), "UPDATE_PROFILE", _profile, "`setting` of the event's own user"),
    Rule(
        (PAGE_NAMES,), "COURSE_VIEW", _page, "the server's page views, of the course in the context, else in the path"
    ),
)
# Of one moment a pause comes before a jump, and this before a play.
FIRST_OF_A_MOMENT: dict[Any, int] = {
    name: {"VIDEO_PAUSED": 0, "VIDEO_COMPLETED": 0, "VIDEO_SEEKED": 2, "VIDEO_STARTED": 3}[rule.becomes]
    for rule in RULES
    if rule.becomes in VIDEO
    for name in rule.names
}
