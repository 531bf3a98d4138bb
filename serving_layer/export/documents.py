"""Exported events as one document, made piece by piece while it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from catalogue.events.exchange import NAMESPACE
from serving_layer.export.caliper import CONTEXT, caliper_event
from serving_layer.export.counted_events import CountedEvents
from serving_layer.export.events import Event, shown
from serving_layer.export.iris import instant
from serving_layer.export.xapi import VERSION, statement
from serving_layer.identity.sight import Sight
from serving_layer.query.formats import json_bytes

PIECE = 64 * 1024


@dataclass(frozen=True)
class Standard:
    """A standard's document: what an event becomes, what stands before and behind all of them, and what headers say."""

    made: Callable[[Event], dict[str, Any]]
    before: Callable[[], bytes]
    behind: bytes
    headers: dict[str, str]


def _envelope() -> bytes:
    told = {
        "sensor": f"{NAMESPACE}platform",
        "sendTime": instant(dt.datetime.now(dt.UTC).replace(tzinfo=None), "milliseconds"),
        "dataVersion": CONTEXT,
    }
    return json_bytes(told)[:-1] + b',"data":['


STANDARDS = {
    "xapi": Standard(statement, lambda: b'{"statements":[', b'],"more":""}', {"X-Experience-API-Version": VERSION}),
    "caliper": Standard(caliper_event, _envelope, b"]}", {}),
}


class Document:
    """The pieces of a document; `noting` is told of each person the first time that a piece shows them.

    Whoever stops reading it lets go of what it holds: it is closed at its end, by `close`, and when nobody has it.
    """

    def __init__(
        self,
        standard: Standard,
        events: CountedEvents,
        sight: Sight,
        noting: Callable[[set[str]], None],
        closing: Callable[[], None],
    ):
        self._events, self._closing = events, closing
        self._closed = False
        self._pieces = self._made(standard, sight, noting)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of everything."""
        if not self._closed:
            self._closed = True
            self._events.close()
            self._closing()

    def __del__(self) -> None:
        self.close()

    def _made(self, standard: Standard, sight: Sight, noting: Callable[[set[str]], None]) -> Iterator[bytes]:
        known: set[str] = set()
        fresh: set[str] = set()
        piece, separator = bytearray(standard.before()), b""
        for event in self._events:
            told = shown(event, sight)
            fresh.update(one for one in told.persons if one not in known)
            piece += separator + json_bytes(standard.made(told))
            separator = b","
            if len(piece) >= PIECE:
                if fresh:
                    noting(fresh)
                    known, fresh = known | fresh, set()
                yield bytes(piece)
                piece.clear()
        if fresh:
            noting(fresh)
        yield bytes(piece) + standard.behind
