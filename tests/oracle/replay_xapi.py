"""What the events of xAPI's video statements must say, written a second time, of players that list what was played."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.oracle.replay_moodle import Expected

VIDEO = "https://w3id.org/xapi/video/extensions/"
KINDS = {"played": "VIDEO_STARTED", "paused": "VIDEO_PAUSED", "completed": "VIDEO_COMPLETED"}
Watched = Counter[tuple[str, str, str, datetime]]  # seconds by user, session, video and moment


def expected(lines: Iterable[str]) -> tuple[list[Expected], Watched]:
    """The events but for what was watched; and that, as the growth of the union of a session's segments, rounded."""
    statements: dict[str, dict[str, Any]] = {}
    for line in lines:
        statement = json.loads(line)
        statements.setdefault(statement["id"].lower(), statement)
    found = [event for statement in statements.values() for event in _told(statement)]
    sessions: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for statement in statements.values():
        about = _about(statement)
        sessions[str(about["user_id"]), str(about["session_id"]), str(about["video_id"])].append(statement)
    watched: Watched = Counter()
    for key, members in sessions.items():
        covered: list[tuple[float, float]] = []
        before = 0
        for statement in sorted(members, key=_when):
            covered += _segments(statement)
            seconds = math.floor(_union(covered) + 0.5)
            if seconds > before:
                watched[(*key, _when(statement))] += seconds - before
                before = seconds
    return found, watched


def _told(statement: dict[str, Any]) -> Iterable[Expected]:
    verb = statement["verb"]["id"].split("/")[-1]
    told = statement.get("result", {}).get("extensions", {})
    about = _about(statement)
    if verb in KINDS:
        yield {"event_type": KINDS[verb], "position_seconds": int(told[VIDEO + "time"]), **about}
    elif verb == "seeked":
        places = {"from_seconds": int(told[VIDEO + "time-from"]), "to_seconds": int(told[VIDEO + "time-to"])}
        yield {"event_type": "VIDEO_SEEKED", **places, **about}
    elif verb == "downloaded":
        resource = about.pop("video_id")
        about.pop("session_id")
        yield {"event_type": "DOWNLOAD_MATERIAL", "resource_id": resource, **about}


def _about(statement: dict[str, Any]) -> Expected:
    account, context = statement["actor"]["account"], statement["context"]
    return {
        "user_id": account["name"] + "@" + account["homePage"], "timestamp": _when(statement), "role": "student",
        "course_id": context["contextActivities"]["parent"][0]["id"],
        "session_id": context["extensions"][VIDEO + "session-id"],
        "video_id": statement["object"]["id"].replace("uuid://", ""),
    }  # fmt: skip


def _when(statement: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(statement["timestamp"]).astimezone(UTC)


def _segments(statement: dict[str, Any]) -> list[tuple[float, float]]:
    text = statement.get("result", {}).get("extensions", {}).get(VIDEO + "played-segments", "")
    pairs = [segment.split("[.]") for segment in text.split("[,]")]
    return [(float(pair[0]), float(pair[1])) for pair in pairs if len(pair) == 2 and pair[1]]


def _union(segments: list[tuple[float, float]]) -> float:
    """Length of what any of the segments covers."""
    length, reached = 0.0, -math.inf
    for begin, end in sorted(segments):
        length += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return round(length, 6)
