"""edX tracking logs: one JSON object per line, as the servers write them or as they are routed on (`data`, `timestamp`).

A line has no identity of its own; the same line becomes the same one. What was watched of a video is what lies between
playing and the next pause, jump or stop of the same session.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from ingestion_layer.replay.playback import Playback
from ingestion_layer.replay.source import Record, Unmapped, documents, event, identifier, identity, instant

PLAYED = {"play_video": "VIDEO_STARTED", "edx.video.played": "VIDEO_STARTED",
          "pause_video": "VIDEO_PAUSED", "edx.video.paused": "VIDEO_PAUSED",
          "stop_video": "VIDEO_COMPLETED", "edx.video.stopped": "VIDEO_COMPLETED"}  # fmt: skip
SEEKED = ("seek_video", "edx.video.position.changed")
ENROLLED = {"edx.course.enrollment.activated": "COURSE_ENROLLED", "edx.course.enrollment.deactivated": "COURSE_DROPPED"}
SEQUENCES = ("seq_next", "seq_prev", "seq_goto", "edx.ui.lms.sequence.next_selected",
             "edx.ui.lms.sequence.previous_selected", "edx.ui.lms.sequence.tab_selected")  # fmt: skip
_PAGE = re.compile(
    r"/courses/(?:course-v1:[^/]+|[^/:]+/[^/:]+/[^/:]+)/(?:(?:course|info|courseware|progress|about)(?:/.*)?)?"
)


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """Events in the order of their times."""
    found = []
    for number, row in enumerate(documents(path, skipped)):
        try:
            moment = instant(row.get("time") or row["timestamp"])
            name = row.get("event_type") or row["name"]
            found.append((moment, number, str(name), row))
        except (KeyError, TypeError, ValueError):
            skipped["no event with a time and a type"] += 1
    mapping = Mapping()
    for moment, _, name, row in sorted(found, key=lambda f: f[:2]):
        try:
            yield from mapping.mapped(name, row, moment)
        except Unmapped as reason:
            skipped[f"{'page' if name.startswith('/') else name}: {reason}"] += 1
        except (KeyError, TypeError, ValueError, AttributeError):
            skipped[f"{name[:60]}: lacks what it should tell"] += 1


class Mapping:
    """What one line after the other becomes; it remembers what was playing."""

    def __init__(self) -> None:
        self._playback = Playback()

    def mapped(self, name: str, row: dict, moment: datetime) -> list[Record]:
        """The events that a line becomes; raises Unmapped and what a malformed one causes."""
        context, key = (
            row.get("context") or {},
            identity("edx", orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode()),
        )
        body: Any = row.get("event", row.get("data"))
        if isinstance(body, str) and body.startswith("{"):  # browsers send it packed
            body = orjson.loads(body)
        if name in ENROLLED:
            user, course = str(body["user_id"]), identifier(body["course_id"])
            return [event(ENROLLED[name], key, user, moment, role="student", course_id=course)]
        if name in PLAYED or name in SEEKED:
            session = row.get("session") or context.get("session")
            return self._played(name, body, key, _user(row, context), _course(context), session, moment)
        kind, fields = _done(name, row, body)
        return [event(kind, key, _user(row, context), moment, course_id=_course(context), **fields)]

    def _played(
        self, name: str, body: dict, key: str, user: str, course: str, session: str | None, moment: datetime
    ) -> list[Record]:
        if not session:
            raise Unmapped("no session")
        video = identifier(body["id"])
        about = {"video_id": video, "course_id": course, "session_id": identifier(session)}
        playing, watched = (session, user, video), 0
        if name in SEEKED:
            before = _second(body.get("old_time", body.get("currentTime")))
            after = _second(body["new_time"])
            watched = self._playback.seek(playing, before, after)
            made = [event("VIDEO_SEEKED", key, user, moment, **about, from_seconds=before, to_seconds=after)]
        else:
            second = _second(body.get("currentTime", body.get("current_time")))
            made = [event(PLAYED[name], key, user, moment, **about, position_seconds=second)]
            if PLAYED[name] == "VIDEO_STARTED":
                self._playback.play(playing, second)
            else:
                watched = self._playback.stop(playing, second)
        if watched:
            length = int(body["duration"]) if body.get("duration") else None
            span = {"watch_duration_seconds": watched, "video_duration_seconds": length}
            made.append(event("VIDEO_WATCHED", identity(key, "span"), user, moment, **about, **span))
        return made


def _done(name: str, row: dict, body: Any) -> tuple[str, dict[str, Any]]:
    """Type and fields of what is no video and no enrolment."""
    if name == "problem_check":
        if not isinstance(body, dict):
            raise Unmapped("the browser's copy, the server tells the answers")
        answers = [answer["correctness"] for answer in body["correct_map"].values()]
        right = {"correct_answers": answers.count("correct"), "total_questions": len(answers)}
        return "QUIZ_COMPLETED", {"quiz_id": identifier(body["problem_id"]), **right}
    if name == "openassessmentblock.create_submission":
        usage = identifier(row["context"]["module"]["usage_key"])
        return "SUBMIT_ASSIGNMENT", {"assignment_id": usage, "assignment_type": "essay"}
    if name == "book" or name.startswith("textbook.pdf."):
        if name not in ("book", "textbook.pdf.page.loaded", "textbook.pdf.page.navigated"):
            raise Unmapped("says nothing that our events say")
        return "ACCESS_COURSE_MATERIAL", {"material_id": identifier(body["chapter"]), "material_type": "pdf"}
    if name in SEQUENCES:
        return "ITEM_CLICK", {"item_id": identifier(body["id"]), "item_type": "sequence"}
    if name == "edx.ui.lms.link_clicked":
        return "ITEM_CLICK", {"item_id": identifier(body["target_url"]), "item_type": "link"}
    if name.startswith("/") and _PAGE.fullmatch(name.partition("?")[0]):
        return "COURSE_VIEW", {}
    raise Unmapped("says nothing that our events say")


def _user(row: dict, context: dict) -> str:
    user = context.get("user_id") or row.get("username") or context.get("username")
    if not user:
        raise Unmapped("nobody is logged in")
    return identifier(str(user))


def _course(context: dict) -> str:
    if not context.get("course_id"):
        raise Unmapped("no course")
    return identifier(context["course_id"])


def _second(value: Any) -> int:
    return max(0, int(float(value)))
