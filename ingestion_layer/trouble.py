"""Known amounts of trouble in a stream of events: duplicates and invalid ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

Record = tuple[str, bytes, bytes]
NEARBY = 200


def _without(name: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda event: orjson.dumps({k: v for k, v in event.items() if k != name})


def _with(**fields: object) -> Callable[[dict[str, Any]], bytes]:
    return lambda event: orjson.dumps(event | fields)


# Each breaks exactly one rule of validity; the last three are no JSON objects.
FAULTS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "no_user": _without("user_id"),
    "user_not_a_string": _with(user_id=17),
    "user_too_long": _with(user_id="x" * 129),
    "unknown_type": _with(event_type="TELEPORTED"),
    "wrong_category": _with(event_category="WEATHER"),
    "id_not_a_uuid": _with(event_id="not-a-uuid"),
    "no_timestamp": _without("timestamp"),
    "impossible_timestamp": _with(timestamp="2026-02-30 10:00:00"),
    "timestamp_too_old": _with(timestamp="1999-12-31 23:59:59"),
    "timestamp_without_zone": _with(timestamp="2026-03-01T10:00:00"),
    "cut_short": lambda event: orjson.dumps(event)[:-7],
    "not_an_object": lambda event: orjson.dumps([event["event_type"]]),
    "not_utf8": lambda event: b"\xff" + orjson.dumps(event),
}


class Trouble:
    """Adds duplicates (shares of the stream, sent again a little later) and invalid events to it."""

    def __init__(self, duplicates: float, invalid: float, seed: str):
        self._duplicates, self._invalid = duplicates, invalid
        self._rng = random.Random(f"trouble {seed}")
        self.made: Counter[str] = Counter()

    def add(self, records: Iterable[Record]) -> Iterator[Record]:
        """The stream with its trouble; `made` counts `duplicate` and each kind of fault."""
        waiting: list[tuple[int, Record]] = []
        kinds = list(FAULTS)
        for number, record in enumerate(records):
            yield record
            if self._duplicates and self._rng.random() < self._duplicates:
                waiting.append((number + self._rng.randint(0, NEARBY), record))
            if self._invalid and self._rng.random() < self._invalid:
                kind = self._rng.choice(kinds)
                fresh = orjson.loads(record[2]) | {"event_id": self._identity()}
                self.made[kind] += 1
                yield record[0], record[1], FAULTS[kind](fresh)
            if waiting:
                due = [w for w in waiting if w[0] <= number]
                if due:
                    waiting = [w for w in waiting if w[0] > number]
                    self.made["duplicate"] += len(due)
                    yield from (again for _, again in due)
        self.made["duplicate"] += len(waiting)
        yield from (again for _, again in waiting)

    def _identity(self) -> str:
        text = f"{self._rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
