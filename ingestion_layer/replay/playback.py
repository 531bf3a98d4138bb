"""What was watched: out of play, pause and seek, or out of the spans that a player lists."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ingestion_layer.replay.identity import identity
from ingestion_layer.replay.moments import DAY, SECOND
from ingestion_layer.replay.quantities import whole

Kept = TypeVar("Kept")
# A playing that nothing was heard of for so long is over.
FORGOTTEN = 7 * DAY
# A play that finds the playing where the clock has brought it, give or take seconds, goes on with it.
CONTIGUOUS = 2.0


def day_session(source: str, user: str | None, moment: int) -> str:
    """The session where a source tells none, as mobile apps do: a day of somebody's is one."""
    return identity(source, "session", user, moment // DAY)


class Recent(Generic[Kept]):
    """Values by key, but for those that weren't used for FORGOTTEN: so that memory doesn't grow with history."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, tuple[int, Kept]] = OrderedDict()

    def get(self, key: Hashable, now: int) -> Kept | None:
        """The value, None where there is none."""
        found = self._values.get(key)
        return found[1] if found and now - found[0] <= FORGOTTEN else None

    def put(self, key: Hashable, now: int, value: Kept) -> None:
        """Keep a value as of a moment."""
        values = self._values
        values[key] = (now, value)
        values.move_to_end(key)
        while now - values[next(iter(values))][0] > FORGOTTEN:
            values.popitem(last=False)

    def forget(self, is_gone: Callable[[Hashable], bool]) -> None:
        """Drop the values of these keys."""
        for key in [key for key in self._values if is_gone(key)]:
            del self._values[key]


Span = tuple[float, float, int]


class Playback:
    """What lies between playing and the next pause, jump or end of the same playing, which is known by any key.

    A span is where it begins and ends in the video, and its whole seconds: these are rounded over the whole playing, so
    that parts add up. Nobody watches for longer than the clock says between two events, so that is the most that
    counts.
    """

    def __init__(self) -> None:
        # Where and when it was last heard of, whether it plays, and what rounding has left over.
        self._playings: Recent[tuple[float, int, bool, float]] = Recent()

    def play(self, key: Hashable, second: float, moment: int) -> Span | None:
        """Start or go on at a second of the video: the span watched where it was playing up to there."""
        known = self._playings.get(key, moment)
        goes_on = known and abs(second - known[0] - (moment - known[1]) / SECOND) <= CONTIGUOUS
        return self._moved(key, second if goes_on else None, second, moment, True)

    def stop(self, key: Hashable, second: float, moment: int) -> Span | None:
        """Pause or end: the span watched since the playing began, None where it hadn't or the position fell."""
        return self._moved(key, second, second, moment, False)

    def seek(self, key: Hashable, before: float, after: float, moment: int) -> Span | None:
        """Jump: the span watched before it. Playing goes on where it went on before."""
        known = self._playings.get(key, moment)
        return self._moved(key, before, after, moment, bool(known and known[2]))

    def forget(self, is_gone: Callable[[Hashable], bool]) -> None:
        """Drop the playings of these keys."""
        self._playings.forget(is_gone)

    def last(self, key: Hashable, moment: int) -> float | None:
        """The position last heard of."""
        known = self._playings.get(key, moment)
        return known[0] if known else None

    def _moved(self, key: Hashable, reached: float | None, now: float, moment: int, plays: bool) -> Span | None:
        known = self._playings.get(key, moment)
        span, left = None, known[3] if known else 0.0
        if known and known[2] and reached is not None:
            length = min(reached - known[0], (moment - known[1]) / SECOND)
            if length > 0:
                watched = round(left + length, 6)
                seconds = max(0, whole(watched))
                left = watched - seconds
                span = (known[0], known[0] + length, seconds) if seconds else None
        self._playings.put(key, moment, (now, moment, plays, left))
        return span


class Spans:
    """The union of what was watched of a video in a session, in seconds of the video."""

    __slots__ = ("_begins", "_ends", "_told", "_watched")

    def __init__(self) -> None:
        self._begins: list[float] = []
        self._ends: list[float] = []
        self._watched = 0.0
        self._told = 0

    def add(self, begin: float, end: float) -> list[tuple[float, float, int]]:
        """What of a span is new: begin, end and whole seconds of each part.

        Seconds are rounded over the whole session, so that parts of less than one add up.
        """
        first = bisect_left(self._ends, begin)
        if first < len(self._ends) and self._begins[first] <= begin and end <= self._ends[first]:
            return []
        last = bisect_right(self._begins, end)
        parts, at = [], begin
        for known in range(first, last):
            if self._begins[known] > at:
                parts.append((at, self._begins[known]))
            at = max(at, self._ends[known])
        if end > at:
            parts.append((at, end))
        if first < last:
            begin, end = min(begin, self._begins[first]), max(end, self._ends[last - 1])
        self._begins[first:last], self._ends[first:last] = [begin], [end]
        told = []
        for left, right in parts:
            self._watched += right - left
            seconds = whole(round(self._watched, 6)) - self._told
            self._told += seconds
            if seconds > 0:
                told.append((left, right, seconds))
        return told
