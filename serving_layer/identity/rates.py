"""How many requests somebody may make: as many a second as are set, twice as many at once."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from serving_layer.errors import TooMany

MOST_KNOWN = 10_000
AT_ONCE_SECONDS = 2.0


class Rates:
    """Counts requests by who makes them; `per_second` 0 counts none."""

    def __init__(self, per_second: float):
        self.per_second = per_second
        self._full = max(1.0, per_second * AT_ONCE_SECONDS)
        # What is left to each, and when that was: in the order of their last requests, so that the oldest are dropped.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> None:
        """Count a request; TooMany where it is one too many."""
        if not self.per_second:
            return
        now = time.monotonic()
        left, since = self._left.pop(who, (self._full, now))
        left = min(self._full, left + (now - since) * self.per_second)
        self._left[who] = max(left - 1.0, 0.0) if left >= 1.0 else left, now
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        if left < 1.0:
            seconds = math.ceil((1.0 - left) / self.per_second)
            raise TooMany(seconds, f"requests must be at most {self.per_second:g} a second; go on in {seconds} s")
