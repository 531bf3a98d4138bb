"""When events happen: the daily, weekly and before-deadline rhythm of a university, or the wall clock."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
LOCAL = 7 * HOUR  # students live by Vietnamese time
SPARSE = 1 / 120  # events per second below which one session at a time is enough

_BY_HOUR = (3, 2, 1, 1, 1, 2, 4, 8, 14, 18, 18, 15, 11, 14, 18, 18, 16, 13, 12, 17, 22, 22, 16, 8)
_BY_DAY = (1.0, 1.05, 1.0, 0.95, 0.8, 0.55, 0.7)  # Monday first
_DEADLINE_HOURS = range(6 * 24 + 17, 7 * 24)  # Sunday evening: assignments are due on Sunday at 23:59


def hour_of_week(moment: int) -> int:
    """Local hour of the week, 0 for Monday from midnight on, of a moment in microseconds since 1970 (a Thursday)."""
    return ((moment + LOCAL) // HOUR + 72) % 168


def before_deadline(moment: int) -> bool:
    """Whether assignments are about to be due."""
    return hour_of_week(moment) in _DEADLINE_HOURS


def next_deadline(moment: int, weeks: int) -> int:
    """The Sunday 23:59 local time at least `weeks` weeks away."""
    week_start = moment - (hour_of_week(moment) * HOUR + (moment + LOCAL) % HOUR)
    return week_start + (weeks + 1) * 7 * DAY - 60 * SECOND


WEIGHTS = np.array([_BY_HOUR[h % 24] * _BY_DAY[h // 24] * (1.8 if h in _DEADLINE_HOURS else 1.0) for h in range(168)])


class WallClock:
    """Events happen when they are made."""

    sparse = False

    def __init__(self, rate: float):
        self._rate = rate

    def rate(self, moment: int) -> float:
        """Events per second around a moment."""
        return self._rate

    def moments(self) -> Iterator[int]:
        """The present, in microseconds since 1970, never going back."""
        last = 0
        while True:
            last = max(last + 1, time.time_ns() // 1000)
            yield last


class Schedule:
    """`events` moments from one to before another (microseconds since 1970), dense where people are awake."""

    def __init__(self, start: int, end: int, events: int, rng: np.random.Generator):
        self._start, self._end, self._events, self._rng = start, end, max(events, 1), rng
        edges = np.arange(start // HOUR, -(-end // HOUR) + 1, dtype=np.int64) * HOUR
        self._edges = np.clip(edges, start, end)
        hours = ((edges[:-1] + LOCAL) // HOUR + 72) % 168
        shares = WEIGHTS[hours] * np.diff(self._edges)
        self._cumulative = np.concatenate(([0.0], np.cumsum(shares) / shares.sum()))
        self._rates = WEIGHTS[hours] / shares.sum() * self._events * SECOND
        self.sparse = self._events * SECOND / (end - start) < SPARSE

    def rate(self, moment: int) -> float:
        """Events per second around a moment."""
        hour = moment // HOUR - self._start // HOUR
        return float(self._rates[min(max(hour, 0), len(self._rates) - 1)])

    def moments(self) -> Iterator[int]:
        """The moments in order; after the last one, more just before the end."""
        for first in range(0, self._events, 8192):
            places = np.arange(first, min(first + 8192, self._events))
            quantiles = (places + self._rng.random(len(places))) / self._events
            yield from (
                np.interp(quantiles, self._cumulative, self._edges).astype(np.int64).clip(max=self._end - 1).tolist()
            )
        while True:
            yield self._end - 1
