"""xAPI statements, of the video profile and of Open edX.

What was watched are the `played-segments` that no earlier statement of the session had; where a player lists none, what
lies between its plays and pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestion_layer.replay.carried import carried
from ingestion_layer.replay.event import event
from ingestion_layer.replay.format import Documents
from ingestion_layer.replay.identity import canonical, identity, plain_uuid
from ingestion_layer.replay.playback import Span, Spans, day_session
from ingestion_layer.replay.quantities import duration, number, position, whole
from ingestion_layer.replay.row import MALFORMED, Record, Row, Unmapped
from ingestion_layer.replay.rule import Rule, by_name
from ingestion_layer.replay.tally import named
from ingestion_layer.replay.xapi_rules import ABOUT, RULES
from ingestion_layer.replay.xapi_statement import VIDEO, Statement

_RULES = by_name(RULES)
_RANKS = {"VIDEO_PAUSED": 0, "VIDEO_COMPLETED": 0, "VIDEO_SEEKED": 2, "VIDEO_STARTED": 3}


class Xapi(Documents):
    """Statements of xAPI 1.0 and 2.0."""

    name = "xapi"
    about = ABOUT
    rules = RULES
    containers = ("statements",)
    lacks = "lacks what its profile asks for"
    _last: Statement | None = None

    def _told(self, document: dict[str, Any]) -> Statement:
        """The statement's parts, found once."""
        if self._last is None or self._last.document is not document:
            self._last = Statement(document)
        return self._last

    def unpacked(self, document: dict[str, Any]) -> Iterator[Any]:
        """The statements of a store's result document, or the one that it is."""
        inside = document.get("statements")
        yield from inside if isinstance(inside, list) and "verb" not in document else [document]

    def moment(self, document: dict[str, Any]) -> int:
        """Time of the statement; where it tells none, that of its storing."""
        time = document.get("timestamp") or document.get("stored")
        if time is None or not isinstance(document.get("verb"), dict):
            raise Unmapped("no statement with a verb and a timestamp")
        return self.options.clock.read(time)

    def own_key(self, document: dict[str, Any]) -> str | None:
        """The statement's id."""
        return plain_uuid(document.get("id"))

    def content(self, document: dict[str, Any], moment: int) -> bytes:
        """The id with who did what; without one all that the statement says, but not what stores add to it."""
        key = self.own_key(document)
        if key:
            statement = self._told(document)
            return f"{key} {statement.user} {statement.verb} {statement.thing}".encode()
        names = ("actor", "verb", "object", "result", "context")
        return canonical((moment, [document.get(name) for name in names]))

    def rank(self, document: dict[str, Any]) -> int:
        """Of one moment pauses come before plays."""
        rule = _RULES.get(self._told(document).verb)
        return _RANKS.get(rule.becomes, 1) if rule else 1

    def learn(self, document: dict[str, Any]) -> None:
        """Which statements are voided, and who is enrolled where."""
        statement = self._told(document)
        if statement.verb == "voided":
            if voided := plain_uuid(document["object"].get("id")):
                self.memory.voided.add(voided)
        elif statement.verb in ("registered", "enrolled") and (user := statement.user) and (course := statement.course):
            self.memory.has_role(user, course, "student")

    def mapped(self, row: Row) -> list[Record]:
        """The events of a statement."""
        if row.key in self.memory.voided:
            raise Unmapped("voided by another statement")
        statement = self._told(row.document)
        if whole_event := carried(statement.extensions, row.key, self.options.clock):
            return [whole_event]
        verb = statement.verb
        rule = _RULES.get(verb)
        made: list[Record] = []
        problem = "says nothing that our events say"
        try:
            if rule and rule.becomes in _RANKS and not _is_quiz(statement):
                return self._played(statement, rule, row)
            made = self._spans(statement, row)
            if rule and not made:
                kind, fields = (_RULES["evaluated"] if verb == "completed" else rule).make(statement)
                return [self._event(kind, statement, row, fields)]
        except Unmapped as reason:
            problem = str(reason)
        except MALFORMED:
            problem = self.lacks
        if made:
            return made
        raise Unmapped(f"{named(verb)}: {problem}")

    def _about(self, statement: Statement) -> dict[str, Any]:
        user, course = statement.user, statement.course or self.options.course
        return {"course_id": course, "role": self.memory.role(user or "", course or "") or self.options.role}

    def _event(self, kind: str, statement: Statement, row: Row, fields: dict[str, Any]) -> Record:
        about = self._about(statement) | fields
        user = about.pop("user", None) or statement.user
        if kind in ("LOGIN", "LOGOUT"):
            session = about["session_id"] or day_session(self.name, user, row.moment)
            about = {"role": about["role"] or "student", "session_id": session}
        return event(kind, row.key, user, row.moment, **about)

    def _seen(self, statement: Statement, row: Row) -> dict[str, Any]:
        session = statement.session or day_session(self.name, statement.user, row.moment)
        return self._about(statement) | {"session_id": session, "video_id": statement.thing}

    def _played(self, statement: Statement, rule: Rule, row: Row) -> list[Record]:
        about = self._seen(statement, row)
        key = (about["session_id"], statement.user, about["video_id"])
        made: list[Record] = []
        problem: Unmapped | None = None
        span = None
        try:
            places = rule.make(statement)
            fields = {name: int(place) for name, place in places.items()}
            made.append(event(rule.becomes, row.key, statement.user, row.moment, **about, **fields))
            span = self._move(rule.becomes, key, list(places.values()), row.moment)
        except Unmapped as reason:
            problem = reason
        made += self._watched(statement, row, about, span)
        if not made and problem:
            raise problem
        return made

    def _move(self, kind: str, key: tuple[Any, ...], places: list[float], moment: int) -> Span | None:
        playback = self.memory.playback
        if kind == "VIDEO_SEEKED":
            return playback.seek(key, places[0], places[1], moment)
        return (playback.play if kind == "VIDEO_STARTED" else playback.stop)(key, places[0], moment)

    def _spans(self, statement: Statement, row: Row) -> list[Record]:
        """What a statement tells that is no play, pause or jump; the end of a session is that of its playing."""
        span = None
        if (
            statement.verb == "terminated"
            and statement.kind == "video"
            and statement.told.get(f"{VIDEO}time") is not None
        ):
            about = self._seen(statement, row)
            key = (about["session_id"], statement.user, about["video_id"])
            span = self.memory.playback.stop(key, position(statement.told[f"{VIDEO}time"]), row.moment)
        elif statement.segments() is None:
            return []
        return self._watched(statement, row, self._seen(statement, row), span)

    def _watched(self, statement: Statement, row: Row, about: dict[str, Any], span: Span | None) -> list[Record]:
        """VIDEO_WATCHED for what is new: of the segments where the session lists any, else of the playing."""
        listed = statement.segments()
        user, video, session = statement.user, about["video_id"], about["session_id"]
        if user is None or (listed is None and span is None):
            return []
        key = (session, user, video)
        known = self.memory.spans.get(key, row.moment)
        watched, lists = known or (Spans(), False)
        if video is None or about["course_id"] is None:  # before anything is used up
            raise Unmapped("no course_id" if video else "no video_id")
        parts: list[Span] = []
        if listed is None:
            if lists or span is None:
                return []
            watched.add(*span[:2])
            parts = [span]
            name: tuple[object, ...] = ("played", row.key)
        else:
            name = ("segment",)
            for begin, end in listed:
                parts += watched.add(begin, end)
        self.memory.spans.put(key, row.moment, (watched, lists or listed is not None))
        if not parts:
            return []
        about["video_duration_seconds"] = self._length(statement)
        return [
            event(
                "VIDEO_WATCHED",
                identity("xapi watched", *name) if listed is None else identity(
                    "xapi watched", *name, session, user, video, about["course_id"], whole(begin), whole(end)
                ),
                user, row.moment, **about, watch_duration_seconds=seconds,
            )
            for begin, end, seconds in parts
        ]  # fmt: skip

    def _length(self, statement: Statement) -> int | None:
        for value in (statement.extensions.get(f"{VIDEO}length"), statement.told.get(f"{VIDEO}length")):
            if value is None:
                continue
            try:
                length = duration(value) if isinstance(value, str) and value[:1] == "P" else number(value)
            except ValueError:
                length = -1
            if length >= 0:
                return int(length)
            self.options.left_out("length of a video that is no number")
        return None


def _is_quiz(statement: Statement) -> bool:
    """Whether something was completed that is no video, but has a score."""
    return statement.verb == "completed" and f"{VIDEO}time" not in statement.told and "score" in statement.result
