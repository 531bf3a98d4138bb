"""Moments of a source as microseconds since 1970 in UTC."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND
EARLIEST = (datetime(2000, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
# From these on a number of seconds since 1970 is one of milliseconds, or microseconds.
MILLISECONDS, MICROSECONDS = 10**11, 10**14
_NUMBER = re.compile(r"\d{9,17}(\.\d+)?")
NO_TIME = "no time that can be read"
OUT_OF_RANGE = "its time is not from 2000 to tomorrow"


class Clock:
    """Reads times; those without a zone are in `zone`. Counts the local times that came twice or never."""

    def __init__(self, zone: str = "UTC", now: datetime | None = None):
        self._zone = ZoneInfo(zone)
        self._latest = ((now or datetime.now(UTC)) - EPOCH) // MICROSECOND + DAY
        self.odd: Counter[str] = Counter()

    def go_on(self) -> None:
        """It is now: for who reads for longer than a day."""
        self._latest = (datetime.now(UTC) - EPOCH) // MICROSECOND + DAY

    def read(self, value: Any) -> int:
        """Moment of an ISO 8601 text, or of seconds (milliseconds, microseconds) since 1970; ValueError with a
        reason.
        """
        try:
            found = self._moment(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(NO_TIME) from error
        return self.checked(found)

    def checked(self, moment: int) -> int:
        """`moment` where an event can have it; ValueError with a reason."""
        if not EARLIEST <= moment <= self._latest:
            raise ValueError(OUT_OF_RANGE)
        return moment

    def local(self, wall: datetime) -> int:
        """Moment of a wall clock's time in the zone: the earlier where it came twice."""
        moment = (wall.replace(tzinfo=self._zone, fold=0) - EPOCH) // MICROSECOND
        later = (wall.replace(tzinfo=self._zone, fold=1) - EPOCH) // MICROSECOND
        if moment != later:
            back = (EPOCH + timedelta(microseconds=moment)).astimezone(self._zone).replace(tzinfo=None)
            self.odd["came twice, read as the earlier" if back == wall else "the clock left out"] += 1
        return moment

    def _moment(self, value: Any) -> int:
        if isinstance(value, str):
            if not _NUMBER.fullmatch(value):
                moment = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
                return (moment - EPOCH) // MICROSECOND if moment.tzinfo else self.local(moment)
            value = float(value) if "." in value else int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(NO_TIME)
        scale = SECOND if value < MILLISECONDS else SECOND // 1000 if value < MICROSECONDS else 1
        return round(value * scale)


@lru_cache(256)
def stamp(moment: int) -> str:
    """A moment as events write it."""
    return (EPOCH + timedelta(microseconds=moment)).isoformat(" ", "microseconds")[:26]
