"""What a format has to remember of earlier rows, or to know of all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ingestion_layer.replay.identity import digest
from ingestion_layer.replay.playback import Playback, Recent, Spans

STRONGEST = ("student", "teacher", "admin")


class Memory:
    """The state of mapping: of rows in order of time, after `learn` was told of all of them or of those before."""

    def __init__(self) -> None:
        self.playback = Playback()
        # Spans by session, and whether its player lists them.
        self.spans: Recent[tuple[Spans, bool]] = Recent()
        self.numbers: dict[str, str] = {}  # a person's number by the name
        self.voided: set[str] = set()
        self._roles: dict[tuple[str, str], str] = {}
        self._first: set[bytes] = set()

    def first(self, *what: Hashable) -> bool:
        """Whether this is the first time; it isn't the next time."""
        key = digest("\x1f".join(map(str, what)).encode("utf-8", "replace"))[:12]
        known = key in self._first
        self._first.add(key)
        return not known

    def has_number(self, name: str, number: str) -> None:
        """The source knows somebody by both; where by several numbers, the lowest holds, whichever comes first."""
        known = self.numbers.get(name)
        if known is None or (len(number), number) < (len(known), known):
            self.numbers[name] = number

    def has_role(self, user: str, course: str, role: str) -> None:
        """The source says what somebody is in a course; of several roles the strongest holds."""
        known = self._roles.get((user, course))
        if known is None or STRONGEST.index(known) < STRONGEST.index(role):
            self._roles[user, course] = role

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Drop what is known of these people; a playing is known by its session, its person and its video."""

        def is_theirs(key: Hashable) -> bool:
            return isinstance(key, tuple) and any(isinstance(part, str) and is_gone(part) for part in key)

        self.numbers = {name: number for name, number in self.numbers.items() if not is_theirs((name, number))}
        self._roles = {who: role for who, role in self._roles.items() if not is_gone(who[0])}
        self.spans.forget(is_theirs)
        self.playback.forget(is_theirs)

    def role(self, user: str, course: str) -> str | None:
        """What somebody is in a course, where the source says so."""
        return self._roles.get((user, course))
