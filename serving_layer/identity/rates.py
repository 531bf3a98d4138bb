"""How many requests somebody may make: as many a second as are set, twice as many at once."""

from __future__ import annotations

import math
from collections import OrderedDict

from runtime.token_bucket import TokenBucket
from serving_layer.errors import TooMany

MOST_KNOWN = 10_000
AT_ONCE_SECONDS = 2.0


class Rates:
    """Counts requests by who makes them; `per_second` 0 counts none."""

    def __init__(self, per_second: float):
        self.per_second = per_second
        # What is left to each, in the order of their last requests, so that the oldest are dropped.
        self._left: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, who: str) -> None:
        """Count a request; TooMany where it is one too many."""
        if not self.per_second:
            return
        left = self._left.pop(who, None) or TokenBucket(self.per_second, AT_ONCE_SECONDS)
        self._left[who] = left
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        seconds = math.ceil(left.take())
        if seconds:
            raise TooMany(seconds, f"requests must be at most {self.per_second:g} a second; go on in {seconds} s")
