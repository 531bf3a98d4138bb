"""IMS Caliper 1.1 and 1.2: events or envelopes of them, one per line, in an array, or one document.

Caliper reports positions in a video, not what was watched: VIDEO_WATCHED is made of what lies between playing and the
next pause, jump or end of the same session.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from catalogue.sql.typed_events import UUID_PATTERN
from ingestion_layer.replay.playback import Playback
from ingestion_layer.replay.source import Record, Unmapped, documents, event, identifier, identity, instant

PLAYED = {"Started": "VIDEO_STARTED", "Resumed": "VIDEO_STARTED", "Restarted": "VIDEO_STARTED",
          "Paused": "VIDEO_PAUSED", "Ended": "VIDEO_COMPLETED"}  # fmt: skip
JUMPED = ("JumpedTo", "ForwardedTo")
COURSES = ("CourseSection", "CourseOffering")
READ = ("DigitalResource", "Document", "WebPage", "Page", "Chapter", "Frame", "Reading", "EpubVolume", "EpubChapter")
ROLES = (("Instructor", "teacher"), ("TeachingAssistant", "teacher"), ("Administrator", "admin"))
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UUID = re.compile(f"urn:uuid:({UUID_PATTERN})")


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """Events in the order of their times."""
    found = []
    for document in documents(path, skipped):
        data = document.get("data") if "sendTime" in document or "sensor" in document else [document]
        for number, entry in enumerate(data if isinstance(data, list) else [data]):
            try:
                found.append((instant(entry["eventTime"]), number, entry))
            except (KeyError, TypeError, ValueError):
                skipped["no event with an eventTime"] += 1
    mapping = Mapping()
    for moment, _, entry in sorted(found, key=lambda f: f[:2]):
        name = f"{entry.get('type')} {entry.get('action')}"
        try:
            yield from mapping.mapped(entry, moment)
        except Unmapped as reason:
            skipped[f"{name}: {reason}"] += 1
        except (KeyError, TypeError, ValueError, AttributeError):
            skipped[f"{name}: lacks what its profile asks for"] += 1


class Mapping:
    """What one Caliper event after the other becomes; it remembers what was playing and which assignments were opened."""

    def __init__(self) -> None:
        self._playback = Playback()
        self._opened: set[tuple[str, str]] = set()

    def mapped(self, entry: dict, moment: datetime) -> list[Record]:
        """The events that a Caliper event becomes; raises Unmapped and what a malformed one causes."""
        key, action = _key(entry), entry["action"]
        match entry["type"].removeprefix("http://purl.imsglobal.org/caliper/"):
            case "MediaEvent":
                return self._played(entry, action, key, moment)
            case "SessionEvent":
                return [_session(entry, action, key, moment)]
            case "GradeEvent" if action == "Graded":
                return [_graded(entry, key, moment)]
            case "NavigationEvent" | "ViewEvent" if action in ("NavigatedTo", "Viewed"):
                name, fields = self._viewed(entry)
            case "AssignableEvent" | "AssessmentEvent" if action in ("Started", "Submitted"):
                name, fields = self._worked(entry, action)
            case "ResourceManagementEvent" if action == "Downloaded":
                name, fields = "DOWNLOAD_MATERIAL", {"resource_id": _id(entry["object"])}
            case _:
                raise Unmapped("says nothing that our events say")
        fields = {"role": _role(entry), "course_id": _course(entry), **fields}
        return [event(name, key, _id(entry["actor"]), moment, **fields)]

    def _played(self, entry: dict, action: str, key: str, moment: datetime) -> list[Record]:
        if action not in PLAYED and action not in JUMPED:
            raise Unmapped("says nothing that our events say")
        user, video, session = _id(entry["actor"]), _id(entry["object"]), _id(entry.get("session"), "session")
        about = {"role": _role(entry), "course_id": _course(entry), "video_id": video, "session_id": session}
        second = _seconds(entry["target"]["currentTime"])
        playing = (session, user, video)
        if action in JUMPED:
            extensions = entry.get("extensions") or {}
            before = int(extensions["oldTime"]) if "oldTime" in extensions else self._playback.last(playing)
            if before is None:
                raise Unmapped("says not from where")
            watched = self._playback.seek(playing, before, second)
            made = [event("VIDEO_SEEKED", key, user, moment, **about, from_seconds=before, to_seconds=second)]
        else:
            made = [event(PLAYED[action], key, user, moment, **about, position_seconds=second)]
            watched = 0
            if PLAYED[action] == "VIDEO_STARTED":
                self._playback.play(playing, second)
            else:
                watched = self._playback.stop(playing, second)
        if watched:
            length = entry["object"].get("duration") if isinstance(entry["object"], dict) else None
            span = {"watch_duration_seconds": watched, "video_duration_seconds": _seconds(length) if length else None}
            made.append(event("VIDEO_WATCHED", identity("caliper", key, "span"), user, moment, **about, **span))
        return made

    def _viewed(self, entry: dict) -> tuple[str, dict[str, Any]]:
        thing = entry["object"]
        kind = thing["type"] if isinstance(thing, dict) else "DigitalResource"
        if kind in COURSES:
            return "COURSE_VIEW", {"course_id": _id(thing)}
        if kind in READ:
            media = str(thing.get("mediaType", "")) if isinstance(thing, dict) else ""
            form = "pdf" if media == "application/pdf" else "link" if kind == "WebPage" else "document"
            return "ACCESS_COURSE_MATERIAL", {"material_id": _id(thing), "material_type": form}
        if kind == "AssignableDigitalResource" and self._first(entry):
            return "VIEW_ASSIGNMENT_FIRST_TIME", {"assignment_id": _id(thing), "assignment_type": "homework"}
        return "ITEM_CLICK", {"item_id": _id(thing), "item_type": kind}

    def _worked(self, entry: dict, action: str) -> tuple[str, dict[str, Any]]:
        thing = entry["object"]
        if entry["type"].endswith("AssessmentEvent"):
            if action == "Submitted":
                raise Unmapped("says nothing of right answers; its GradeEvent does")
            return "QUIZ_STARTED", {"quiz_id": _id(thing)}
        if action == "Submitted":
            attempted = thing.get("assignable", thing) if isinstance(thing, dict) else thing
            return "SUBMIT_ASSIGNMENT", {"assignment_id": _id(attempted)}
        if not self._first(entry):
            raise Unmapped("opened before")
        return "VIEW_ASSIGNMENT_FIRST_TIME", {"assignment_id": _id(thing), "assignment_type": "homework"}

    def _first(self, entry: dict) -> bool:
        pair = _id(entry["actor"]), _id(entry["object"])
        known = pair in self._opened
        self._opened.add(pair)
        return not known


def _session(entry: dict, action: str, key: str, moment: datetime) -> Record:
    match action:
        case "LoggedIn" | "LoggedOut":
            fields = {"role": _role(entry) or "student", "session_id": _id(entry.get("session"), "session")}
            return event("LOGIN" if action == "LoggedIn" else "LOGOUT", key, _id(entry["actor"]), moment, **fields)
        case "TimedOut":
            session = entry["object"]
            return event("SESSION_EXPIRED", key, _id(session["user"]), moment, session_id=_id(session))
    raise Unmapped("says nothing that our events say")


def _graded(entry: dict, key: str, moment: datetime) -> Record:
    attempt, score = entry["object"], entry["generated"]
    student, work = _id(attempt["assignee"]), attempt["assignable"]
    given, most = float(score["scoreGiven"]), float(score["maxScore"])
    if not 0 <= given <= most or not most:
        raise Unmapped("its score is not from 0 to maxScore")
    if isinstance(work, dict) and work.get("type") == "Assessment":
        points = {"correct_answers": int(given * 100 / most), "total_questions": 100}
        return event(
            "QUIZ_COMPLETED",
            key,
            student,
            moment,
            role="student",
            quiz_id=_id(work),
            course_id=_course(entry),
            **points,
        )
    fields = {"student_id": student, "assignment_id": _id(work), "score": round(given * 100 / most, 2)}
    return event(
        "GRADE_ASSIGNMENT", key, _id(entry["actor"]), moment, role="teacher", course_id=_course(entry), **fields
    )


def _id(thing: Any, what: str = "") -> str:
    """The identifier of an entity, which may be given by it alone."""
    if thing is None and what:
        raise Unmapped(f"no {what}")
    return identifier(thing if isinstance(thing, str) else thing["id"])


def _key(entry: dict) -> str:
    known = _UUID.fullmatch(entry["id"])
    return known[1] if known else identity("caliper", entry["id"])


def _course(entry: dict) -> str:
    group = entry.get("group") or (entry.get("membership") or {}).get("organization")
    if isinstance(group, dict) and group.get("type") == "Group" and group.get("subOrganizationOf"):
        group = group["subOrganizationOf"]
    return _id(group, "group, so no course")


def _role(entry: dict) -> str | None:
    membership = entry.get("membership")
    roles = " ".join(membership.get("roles", ())) if isinstance(membership, dict) else ""
    known = next((role for sign, role in ROLES if sign in roles), None)
    return known or ("student" if "Learner" in roles else None)


def _seconds(text: str) -> int:
    """Whole seconds of an ISO 8601 duration of days and smaller parts."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return int(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
