"""xAPI video-profile statements as JSON lines. The watched spans (`played-segments`, which grow during a session)
become VIDEO_WATCHED: one for each part of a span that no earlier statement of the session had.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson

from catalogue.sql.typed_events import UUID_PATTERN
from ingestion_layer.replay.source import Record, Unmapped, event, identifier, identity, instant, lines

VIDEO = "https://w3id.org/xapi/video/extensions/"
UUID = re.compile(UUID_PATTERN)
EVENTS = {"played": "VIDEO_STARTED", "paused": "VIDEO_PAUSED", "completed": "VIDEO_COMPLETED", "seeked": "VIDEO_SEEKED"}


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """Events in the order of the statements' timestamps."""
    statements = []
    for number, line in enumerate(lines(path)):
        try:
            statement = orjson.loads(line)
            moment = instant(statement["timestamp"])
            statements.append((moment, number, statement))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            skipped["line is no statement with a timestamp"] += 1
    watched: dict[tuple[str, str], dict[float, float]] = {}
    for moment, _, statement in sorted(statements, key=lambda s: (s[0].timestamp(), s[1])):
        try:
            yield from _mapped(statement, moment, watched, skipped)
        except Unmapped as reason:
            skipped[f"statement: {reason}"] += 1
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            skipped["statement lacks what the video profile asks for"] += 1


def _mapped(statement: dict, moment: datetime, watched: dict, skipped: Counter[str]) -> list[Record]:
    verb = statement["verb"]["id"].rstrip("/").rpartition("/")[2]
    context, result = statement["context"], statement.get("result", {}).get("extensions", {})
    extensions = context.get("extensions", {})
    actor = statement["actor"]
    user = identifier(actor["account"]["name"] if "account" in actor else actor["mbox"])
    session = extensions.get(f"{VIDEO}session-id")
    video = identifier(statement["object"]["id"].removeprefix("uuid://"))
    about = {
        "session_id": identifier(session) if session else None,
        "video_id": video,
        "course_id": identifier(context["contextActivities"]["parent"][0]["id"]),
    }
    made = []
    key = statement.get("id")
    if not isinstance(key, str) or not UUID.fullmatch(key):
        key = identity("xapi", key if isinstance(key, str) else orjson.dumps(statement).decode())
    if verb in EVENTS:
        if not session:
            skipped[f"{verb}: no session-id"] += 1
            return []
        made.append(event(EVENTS[verb], key, user, moment, **about, **_positions(verb, result)))
    elif verb == "downloaded":
        fields = {"course_id": about["course_id"], "resource_id": video}
        made.append(event("DOWNLOAD_MATERIAL", key, user, moment, **fields))
    spans = _new_spans(result.get(f"{VIDEO}played-segments", ""), watched.setdefault((session or user, video), {}))
    length = extensions.get(f"{VIDEO}length")
    for number, seconds in enumerate(spans):
        made.append(
            event("VIDEO_WATCHED", identity(key, "span", number), user, moment, **about,
                  watch_duration_seconds=seconds, video_duration_seconds=int(length) if length else None)
        )  # fmt: skip
    if not made:
        skipped[f"{verb}: says nothing that our events say"] += 1
    return made


def _positions(verb: str, result: dict) -> dict[str, int]:
    if verb == "seeked":
        return {
            "from_seconds": max(0, int(result[f"{VIDEO}time-from"])),
            "to_seconds": max(0, int(result[f"{VIDEO}time-to"])),
        }
    return {"position_seconds": max(0, int(result[f"{VIDEO}time"]))}


def _new_spans(text: str, ends: dict[float, float]) -> list[int]:
    """Whole seconds of what `text` (`start[.]end[,]…`) adds to the spans in `ends`, which it updates."""
    added = []
    for segment in filter(None, text.split("[,]")):
        start, _, end = segment.partition("[.]")
        if not end:
            continue
        first, last = float(start), float(end)
        seconds = round(last - ends.get(first, first))
        ends[first] = max(last, ends.get(first, first))
        if seconds > 0:
            added.append(seconds)
    return added
