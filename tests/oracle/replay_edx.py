"""What the events of edX's tracking lines and of Caliper's events must say, written a second time, for what the
samples hold.

An event is its type, user, course, moment, what it was done with, and its numbers; what was watched is told by plays
and stops.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle.replay_moodle import Expected

PLAYS, STOPS = ("play_video", "MediaEvent Started", "MediaEvent Resumed"), ("pause_video", "MediaEvent Paused")
ENDS = ("stop_video", "MediaEvent Ended")
READING = {"Document": "document", "WebPage": "link", "DigitalResource": "document"}


class Player:
    """Where each playing is: a place in the video, the moment, and whether it goes on."""

    def __init__(self) -> None:
        self.places: dict[tuple, tuple[float, datetime, bool]] = {}

    def at(self, key: tuple, place: float, now: datetime, goes_on: bool | None) -> int:
        """Seconds watched up to a place; None goes on as before."""
        before = self.places.get(key, (place, now, False))
        self.places[key] = place, now, before[2] if goes_on is None else goes_on
        clock = (now - before[1]) / timedelta(seconds=1)
        return math.floor(min(place - before[0], clock) + 0.5) if before[2] else 0


def edx(lines: Iterable[str]) -> list[Expected]:
    """The events of tracking lines."""
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    player, found = Player(), list[Expected]()
    for row in sorted(rows, key=_when):
        context, name, body = row["context"], row.get("event_type") or row["name"], row.get("event", row.get("data"))
        if isinstance(body, str) and body.startswith("{"):
            body = json.loads(body)
        if not (context.get("user_id") or row.get("username")):
            continue
        about: Expected = {
            "user_id": str(context.get("user_id") or row["username"]),
            "course_id": context["course_id"], "timestamp": _when(row),
        }  # fmt: skip
        found += [event | about for event in _line(name, row, body, about, player)]
    return found


def _line(name: str, row: dict[str, Any], body: Any, about: Expected, player: Player) -> Iterator[Expected]:
    if name.startswith("edx.course.enrollment."):
        yield {"event_type": "COURSE_ENROLLED" if name.endswith(".activated") else "COURSE_DROPPED"}
    elif name in (*PLAYS, *STOPS, *ENDS, "seek_video", "edx.video.position.changed"):
        session = row.get("session") or row["context"]["session"]
        yield from _moved(name, body, (session, about["user_id"], body["id"]), about, player)
    elif name == "problem_check" and isinstance(body, dict):
        right = [part["correctness"] for part in body["correct_map"].values()].count("correct")
        yield {"event_type": "QUIZ_COMPLETED", "item": body["problem_id"], "number": right}
    elif name == "openassessmentblock.create_submission":
        yield {"event_type": "SUBMIT_ASSIGNMENT", "item": row["context"]["module"]["usage_key"]}
    elif name in ("book", "textbook.pdf.page.navigated"):
        yield {"event_type": "ACCESS_COURSE_MATERIAL", "item": body["chapter"]}
    elif name in ("seq_next", "edx.ui.lms.link_clicked"):
        yield {"event_type": "ITEM_CLICK", "item": body.get("id") or body["target_url"]}
    elif name.endswith("/course/"):
        yield {"event_type": "COURSE_VIEW"}


def _moved(name: str, body: dict[str, Any], key: tuple, about: Expected, player: Player) -> Iterator[Expected]:
    now, video = about["timestamp"], body["id"]
    assert isinstance(now, datetime)
    if "new_time" in body:
        before = body["old_time"] if "old_time" in body else body["currentTime"]
        yield {"event_type": "VIDEO_SEEKED", "item": video, "number": (int(before), int(body["new_time"]))}
        seconds = player.at(key, before, now, None)
        player.at(key, body["new_time"], now, None)
    elif "currentTime" not in body:
        return
    else:
        place, begins = body["currentTime"], name in PLAYS
        kind = "VIDEO_STARTED" if begins else "VIDEO_PAUSED" if name in STOPS else "VIDEO_COMPLETED"
        yield {"event_type": kind, "item": video, "number": int(place)}
        seconds = player.at(key, place, now, begins)
    if seconds > 0:
        yield {"event_type": "VIDEO_WATCHED", "item": video, "number": seconds}


def caliper(lines: Iterable[str]) -> list[Expected]:
    """The events of Caliper's events."""
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    player, opened, found = Player(), set[tuple[str, str]](), list[Expected]()
    for row in sorted((row for row in rows if "eventTime" in row), key=_when):
        about: Expected = {"user_id": row["actor"]["id"], "course_id": row["group"]["id"], "timestamp": _when(row)}
        found += [about | event for event in _event(row, about, player, opened)]
    return found


def _event(row: dict[str, Any], about: Expected, player: Player, opened: set) -> Iterator[Expected]:
    kind, thing, name = row["type"], row["object"], f"{row['type']} {row['action']}"
    item = thing["id"]
    if kind == "SessionEvent":
        yield {
            "event_type": "LOGIN" if row["action"] == "LoggedIn" else "LOGOUT",
            "course_id": None,
            "item": row["session"]["id"],
        }
    elif kind in ("NavigationEvent", "ViewEvent"):
        pair = row["actor"]["id"], item
        if thing["type"] == "CourseSection":
            yield {"event_type": "COURSE_VIEW"}
        elif thing["type"] in READING:
            yield {"event_type": "ACCESS_COURSE_MATERIAL", "item": item}
        elif thing["type"] == "AssignableDigitalResource" and pair not in opened:
            opened.add(pair)
            yield {"event_type": "VIEW_ASSIGNMENT_FIRST_TIME", "item": item}
        else:
            yield {"event_type": "ITEM_CLICK", "item": item}
    elif kind == "MediaEvent":
        yield from _media(name, row, about, player)
    elif name == "AssignableEvent Submitted":
        yield {"event_type": "SUBMIT_ASSIGNMENT", "item": thing["assignable"]["id"]}
    elif name == "AssessmentEvent Started":
        yield {"event_type": "QUIZ_STARTED", "item": item}
    elif kind == "GradeEvent":
        yield _graded(row)
    elif kind == "ResourceManagementEvent":
        yield {"event_type": "DOWNLOAD_MATERIAL", "item": item}


def _media(name: str, row: dict[str, Any], about: Expected, player: Player) -> Iterator[Expected]:
    now, video, extensions = about["timestamp"], row["object"]["id"], row.get("extensions", {})
    assert isinstance(now, datetime)
    place = _seconds(row["target"]["currentTime"])
    key = row["session"]["id"], row["actor"]["id"], video
    seconds = 0
    if name in PLAYS or name in STOPS or name in ENDS:
        kind = "VIDEO_STARTED" if name in PLAYS else "VIDEO_PAUSED" if name in STOPS else "VIDEO_COMPLETED"
        yield {"event_type": kind, "item": video, "number": int(place)}
        seconds = player.at(key, place, now, name in PLAYS)
    elif name == "MediaEvent JumpedTo" and ("oldTime" in extensions or key in player.places):
        before = extensions.get("oldTime", player.places.get(key, (0,))[0])
        yield {"event_type": "VIDEO_SEEKED", "item": video, "number": (int(before), int(place))}
        seconds = player.at(key, before, now, None)
        player.at(key, place, now, None)
    if seconds > 0:
        yield {"event_type": "VIDEO_WATCHED", "item": video, "number": seconds}


def _graded(row: dict[str, Any]) -> Expected:
    attempt, score = row["object"], row["generated"]
    assignee, work = attempt["assignee"], attempt["assignable"]
    student = assignee["id"] if isinstance(assignee, dict) else assignee
    hundredths = Decimal(str(score["scoreGiven"])) * 10000 / Decimal(str(score["maxScore"]))
    if work["type"] == "Assessment":
        return {
            "event_type": "QUIZ_COMPLETED",
            "user_id": student,
            "item": work["id"],
            "number": math.floor(hundredths / 100 + Decimal("0.5")),
        }
    points = math.floor(hundredths + Decimal("0.5")) / 100
    return {"event_type": "GRADE_ASSIGNMENT", "item": work["id"], "number": points, "student_id": student}


def _when(row: dict[str, Any]) -> datetime:
    text = row.get("eventTime") or row.get("time") or row["timestamp"]
    return datetime.fromisoformat(text).astimezone(UTC)


def _seconds(text: str) -> float:
    """Seconds of a duration as `PT1H2M3.5S`."""
    total, digits = 0.0, ""
    for sign in text.removeprefix("PT"):
        if sign in "HMS":
            total += float(digits) * {"H": 3600, "M": 60, "S": 1}[sign]
            digits = ""
        else:
            digits += sign
    return total
