"""IMS Caliper 1.1 and 1.2: events or envelopes of them, one per line, in an array, or one document.

Caliper reports positions in a video, not what was watched: VIDEO_WATCHED is made of what lies between playing and the
next pause, jump or end of the same session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestion_layer.replay.caliper_event import Event, key_of
from ingestion_layer.replay.caliper_rules import ABOUT, JUMPED, PLAYED, RULES
from ingestion_layer.replay.carried import carried
from ingestion_layer.replay.event import event
from ingestion_layer.replay.format import Documents
from ingestion_layer.replay.identity import canonical, identity, plain_uuid
from ingestion_layer.replay.playback import day_session
from ingestion_layer.replay.quantities import duration as seconds_of
from ingestion_layer.replay.quantities import number, position
from ingestion_layer.replay.row import MALFORMED, Record, Row, Unmapped
from ingestion_layer.replay.rule import by_name
from ingestion_layer.replay.tally import named

_RULES = by_name(RULES)
_RANKS = {"VIDEO_PAUSED": 0, "VIDEO_COMPLETED": 0, "VIDEO_SEEKED": 2, "VIDEO_STARTED": 3}


class Caliper(Documents):
    """Events of Caliper."""

    name = "caliper"
    about = ABOUT
    rules = RULES
    containers = ("data",)
    lacks = "lacks what its profile asks for"

    def unpacked(self, document: dict[str, Any]) -> Iterator[Any]:
        """The events of an envelope, or the one that it is."""
        if "eventTime" in document or not ("sendTime" in document or "sensor" in document):
            yield document
            return
        inside = document.get("data")
        yield from inside if isinstance(inside, list) else [inside]

    def moment(self, document: dict[str, Any]) -> int:
        """Time of the event."""
        if "@type" in document and "type" not in document:
            raise Unmapped("Caliper 1.0, must be 1.1 or 1.2")
        if document.get("eventTime") is None:
            raise Unmapped("no event with an eventTime")
        return self.options.clock.read(document["eventTime"])

    def own_key(self, document: dict[str, Any]) -> str | None:
        """The event's id where it is a UUID."""
        return plain_uuid(document.get("id"))

    def content(self, document: dict[str, Any], moment: int) -> bytes:
        """The id with who did what; without one all that the event says."""
        own = self.own_key(document) or document.get("id")
        if not isinstance(own, str) or not own:
            return canonical(document)
        told = Event(document)
        return f"{own} {told.user()} {told.type} {told.action} {told.thing()}".encode()

    def rank(self, document: dict[str, Any]) -> int:
        """Of one moment pauses come before plays."""
        action = document.get("action")
        rule = _RULES.get(key_of(document)) if isinstance(action, str) else None
        return _RANKS.get(rule.becomes, 1) if rule else 1

    def learn(self, document: dict[str, Any]) -> None:
        """Who is what in a course."""
        told = Event(document)
        role = "student" if document.get("action") == "Activated" else told.role()
        user, course = told.user(), told.course()
        if role and user and course:
            self.memory.has_role(user, course, role)

    def mapped(self, row: Row) -> list[Record]:
        """The events of an event."""
        if whole_event := carried(row.document.get("extensions"), row.key, self.options.clock):
            return [whole_event]
        told = Event(row.document)
        name = f"{named(told.type)} {named(told.action)}"
        rule = _RULES.get(key_of(row.document))
        if rule is None:
            raise Unmapped(f"{name}: says nothing that our events say")
        try:
            if rule.becomes in _RANKS:
                return self._played(told, row)
            kind, fields = rule.make(told)
            return [self._event(kind, told, row, fields)]
        except Unmapped as reason:
            raise Unmapped(f"{name}: {reason}") from None
        except MALFORMED:
            raise Unmapped(f"{name}: {self.lacks}") from None

    def _event(self, kind: str, told: Event, row: Row, fields: dict[str, Any]) -> Record:
        user, key = fields.pop("user", None) or told.user(), row.key
        course = fields.pop("course_id", None) or told.course() or self.options.course
        if kind == "VIEW_ASSIGNMENT_FIRST_TIME":
            item = fields["assignment_id"]
            if self.memory.first(user or "", course or "", item or ""):
                key = identity("caliper first view", user, course, item)
            elif fields.pop("again", None):
                kind, fields = "ITEM_CLICK", {"item_id": item, "item_type": told.kind()}
            else:
                raise Unmapped("opened before")
        fields.pop("again", None)
        role = fields.pop("role", None) or self.memory.role(user or "", course or "") or self.options.role
        if kind in ("LOGIN", "LOGOUT"):
            role = role or "student"
        if kind not in ("LOGIN", "LOGOUT", "SESSION_EXPIRED"):
            fields["course_id"] = course
        return event(kind, key, user, row.moment, role=role, **fields)

    def _played(self, told: Event, row: Row) -> list[Record]:
        user, video = told.user(), told.thing()
        session = told.session() or day_session(self.name, user, row.moment)
        course = told.course() or self.options.course
        role = told.role() or self.memory.role(user or "", course or "") or self.options.role
        about = {"role": role, "course_id": course, "video_id": video, "session_id": session}
        playing, playback, span = (session, user, video), self.memory.playback, None
        at = told.place()
        if told.action in JUMPED:
            before, after = self._jump(told, playing, row)
            made = [
                event(
                    "VIDEO_SEEKED", row.key, user, row.moment, **about, from_seconds=int(before), to_seconds=int(after)
                )
            ]
            span = playback.seek(playing, before, after, row.moment)
        else:
            kind = PLAYED[told.action]
            if at is None:
                at = self._untold(told, kind, playing, row)
            second = position(at)
            made = [event(kind, row.key, user, row.moment, **about, position_seconds=int(second))]
            span = (playback.play if kind == "VIDEO_STARTED" else playback.stop)(playing, second, row.moment)
        if span:
            watched = {
                "watch_duration_seconds": span[2],
                "video_duration_seconds": self._length(told),
            }
            made.append(event("VIDEO_WATCHED", identity(row.key, "span"), user, row.moment, **about, **watched))
        return made

    def _untold(self, told: Event, kind: str, playing: tuple[Any, ...], row: Row) -> Any:
        """Where a video is that tells no place: it starts at its beginning and ends at its end."""
        if kind == "VIDEO_STARTED":
            return 0.0
        length = self._length(told) if kind == "VIDEO_COMPLETED" else None
        at = length or self.memory.playback.last(playing, row.moment)
        if at is None:
            raise Unmapped("says not where")
        return at

    def _jump(self, told: Event, playing: tuple[Any, ...], row: Row) -> tuple[float, float]:
        """From where to where: Open edX tells the new place apart, others at most the old one."""
        at, new, old = told.place(), told.extra("newTime", "new_time"), told.extra("oldTime", "old_time")
        if new is not None:
            return position(at if at is not None else old), position(new)
        before = position(old) if old is not None else self.memory.playback.last(playing, row.moment)
        if before is None:
            raise Unmapped("says not from where")
        return before, position(at)

    def _length(self, told: Event) -> int | None:
        value = told.length()
        if value is None:
            return None
        try:
            length = seconds_of(value) if isinstance(value, str) and value[:1] == "P" else number(value)
        except ValueError:
            length = -1
        if length < 0:
            self.options.left_out("length of a video that is no duration")
            return None
        return int(length)
