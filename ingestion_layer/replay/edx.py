"""edX tracking logs: JSON lines as the servers write them, or as they are routed on (`data`, `timestamp`).

A line has no identity of its own; what it says makes it one.
"""

from __future__ import annotations

from typing import Any

import orjson

from ingestion_layer.replay.edx_rules import ABOUT, FIRST_OF_A_MOMENT, PAGE_NAMES, RULES, VIDEO, page_course
from ingestion_layer.replay.event import event
from ingestion_layer.replay.format import Documents
from ingestion_layer.replay.identity import canonical, identifier, identity, person
from ingestion_layer.replay.playback import day_session
from ingestion_layer.replay.quantities import duration, number, position
from ingestion_layer.replay.row import MALFORMED, Record, Row, Unmapped
from ingestion_layer.replay.rule import by_name
from ingestion_layer.replay.tally import named

_RULES = by_name(RULES)
_STAFF = frozenset(("is_staff", "user_course_roles", "user_forums_roles"))


class Line:
    """What a line says, whichever of its two forms it has."""

    __slots__ = ("_body", "context", "name", "row")

    def __init__(self, row: dict[str, Any]):
        self.row = row
        name = row.get("event_type") or row["name"]
        self.name: str = name if isinstance(name, str) else named(name)
        context = row.get("context")
        self.context: dict[str, Any] = context if isinstance(context, dict) else {}
        self._body: Any = row.get("event", row.get("data"))

    @property
    def body(self) -> dict[str, Any]:
        """The event's own members, which browsers send packed; Unmapped where they can't be read."""
        if isinstance(self._body, str):
            try:
                self._body = orjson.loads(self._body)
            except orjson.JSONDecodeError:
                raise Unmapped("its body is cut short") from None
        if not isinstance(self._body, dict):
            raise Unmapped("its body is no object")
        return self._body

    @property
    def username(self) -> Any:
        """Whose name the line has."""
        return self.row.get("username") or self.context.get("username")

    @property
    def packed(self) -> bool:
        """Whether the body is a text, as browsers send it."""
        return not isinstance(self._body, dict)

    def told(self) -> Any:
        """The body as far as it can be read."""
        try:
            return self.body
        except Unmapped:
            return self._body


class Edx(Documents):
    """Tracking logs of edX and Open edX."""

    name = "edx"
    about = ABOUT
    rules = RULES

    _last: Line | None = None

    def _told(self, document: dict[str, Any]) -> Line:
        """The line's parts, found once."""
        if self._last is None or self._last.row is not document:
            self._last = Line(document)
        return self._last

    def moment(self, document: dict[str, Any]) -> int:
        """Time of the line."""
        if not (document.get("event_type") or document.get("name")):
            raise Unmapped("no event with a time and a type")
        time = document.get("time") or document.get("timestamp")
        if time is None:
            raise Unmapped("no event with a time and a type")
        return self.options.clock.read(time)

    def content(self, document: dict[str, Any], moment: int) -> bytes:
        """Who did what where and when: not what collectors of logs add on their way."""
        line = self._told(document)
        context = line.context
        session = document.get("session") or context.get("session")
        told = (line.username, context.get("user_id"), context.get("course_id"), session, line.told())
        return canonical((line.name, moment, *told))

    def rank(self, document: dict[str, Any]) -> int:
        """Of one moment pauses come before plays."""
        return FIRST_OF_A_MOMENT.get(document.get("event_type") or document.get("name"), 1)

    def learn(self, document: dict[str, Any]) -> None:
        """Which number a name has, and who is what in a course."""
        line = self._told(document)
        number, name = person(line.context.get("user_id")), person(line.username)
        if number and name and number != name:
            self.memory.has_number(name, number)
        rule = _RULES.get(line.name)
        if rule and rule.becomes == "COURSE_ENROLLED":
            user, course = self._enrolled(line), identifier(line.body.get("course_id"))
            if user and course:
                self.memory.has_role(user, course, "student")
        elif "is_staff" in line.context or (not line.packed and _STAFF & line.body.keys()):
            self._learn_role(line)

    def mapped(self, row: Row) -> list[Record]:
        """The events of a line."""
        line = self._told(row.document)
        rule = _RULES.get(line.name)
        if rule is None:
            if not line.name.startswith("/"):
                raise Unmapped(f"{named(line.name)}: says nothing that our events say")
            rule = _RULES[PAGE_NAMES]
        try:
            return self._events(rule, line, row)
        except Unmapped as reason:
            raise Unmapped(f"{'page' if line.name.startswith('/') else named(line.name)}: {reason}") from None
        except MALFORMED:
            raise Unmapped(f"{named(line.name)}: {self.lacks}") from None

    def _events(self, rule: Any, line: Line, row: Row) -> list[Record]:
        if rule.becomes in ("COURSE_ENROLLED", "COURSE_DROPPED"):
            user, course = self._enrolled(line), identifier(line.body.get("course_id")) or self.options.course
            return [event(rule.becomes, row.key, user, row.moment, role="student", course_id=course)]
        if rule.becomes in VIDEO:
            return self._played(rule.becomes, line, row)
        kind, fields = rule.make(line)
        user = person(fields.pop("user", None)) or self._user(line)
        course = identifier(fields.pop("course", None)) or self._course(line)
        if "student_id" in fields:
            fields["student_id"] = self._number(fields["student_id"])
        role = fields.pop("role", None) or self._role(user, course)
        return [event(kind, row.key, user, row.moment, role=role, course_id=course, **fields)]

    def _played(self, kind: str, line: Line, row: Row) -> list[Record]:
        body, user, course = line.body, self._user(line), self._course(line)
        if user is None:
            raise Unmapped("nobody's")
        video = identifier(body.get("id"))
        session = identifier(line.row.get("session")) or identifier(line.context.get("session"))
        session = session or day_session(self.name, user, row.moment)
        about = {"role": self._role(user, course), "course_id": course, "video_id": video, "session_id": session}
        playing, playback = (session, user, video), self.memory.playback
        second = position(
            _first_of(body, "old_time" if kind == "VIDEO_SEEKED" else "currentTime", "current_time", "currentTime")
        )
        if kind == "VIDEO_SEEKED":
            after = position(_first_of(body, "new_time"))
            made = [event(kind, row.key, user, row.moment, **about, from_seconds=int(second), to_seconds=int(after))]
            span = playback.seek(playing, second, after, row.moment)
        else:
            made = [event(kind, row.key, user, row.moment, **about, position_seconds=int(second))]
            move = playback.play if kind == "VIDEO_STARTED" else playback.stop
            span = move(playing, second, row.moment)
        if span:
            seconds = span[2]
            length = self._length(body.get("duration"))
            made.append(
                event("VIDEO_WATCHED", identity(row.key, "span"), user, row.moment, **about,
                      watch_duration_seconds=seconds, video_duration_seconds=length)
            )  # fmt: skip
        return made

    def _length(self, value: Any) -> int | None:
        if value is None:
            return None
        try:
            length = duration(value) if isinstance(value, str) and value[:1] == "P" else number(value)
        except ValueError:
            length = -1
        if length < 0:
            self.options.left_out("length of a video that is no number")
            return None
        return int(length)

    def _user(self, line: Line) -> str | None:
        return person(line.context.get("user_id")) or self._number(line.username)

    def _number(self, name: Any) -> str | None:
        """The number of somebody who is named, or else the name."""
        known = person(name)
        return self.memory.numbers.get(known, known) if known else None

    def _enrolled(self, line: Line) -> str | None:
        body = line.body
        if "user_id" in body:
            return person(body["user_id"]) or self._number(body.get("username"))
        return self._number(body.get("username")) or self._user(line)

    def _course(self, line: Line) -> str | None:
        found = identifier(line.context.get("course_id"))
        return found or (page_course(line.name) if line.name.startswith("/") else None) or self.options.course

    def _role(self, user: str | None, course: str | None) -> str | None:
        return self.memory.role(user or "", course or "") or self.options.role

    def _learn_role(self, line: Line) -> None:
        user, course, body = self._user(line), self._course(line), line.told()
        if user is None or course is None:
            return
        body = body if isinstance(body, dict) else {}
        if body.get("is_staff") is True or line.context.get("is_staff") is True or body.get("user_course_roles"):
            self.memory.has_role(user, course, "teacher")
        elif body.get("user_forums_roles") == ["Student"]:
            self.memory.has_role(user, course, "student")


def _first_of(body: dict[str, Any], *names: str) -> Any:
    """The first member that is there."""
    return next((body[name] for name in names if body.get(name) is not None), None)
