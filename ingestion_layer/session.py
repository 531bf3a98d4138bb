"""A visit of somebody: what is going on in it."""

from __future__ import annotations

from typing import Generic, TypeVar

from ingestion_layer.population import Person

P = TypeVar("P", bound=Person)


class Session(Generic[P]):
    """A visit; its events happen `shift` microseconds before they are sent: a late visit was made offline."""

    __slots__ = (
        "last",
        "mark",
        "person",
        "place",
        "playing",
        "position",
        "quiz",
        "shift",
        "since",
        "tail",
        "video",
        "who",
    )

    def __init__(self, person: P, who: str, tail: str, now: int, shift: int):
        self.person, self.who, self.tail, self.last, self.shift = person, who, tail, now, shift
        self.place = self.position = self.since = self.mark = 0
        self.video: tuple[str, int] | None = None
        self.playing = False
        self.quiz: str | None = None
