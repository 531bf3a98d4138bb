"""How often something may be done: a bucket that fills with time, from which each time takes."""

from __future__ import annotations

import time


class TokenBucket:
    """`per_second` a second, and as much as comes in `at_once_seconds` at once, 1 at least."""

    def __init__(self, per_second: float, at_once_seconds: float):
        self.per_second = per_second
        self._most = max(1.0, per_second * at_once_seconds)
        self._left, self._then = self._most, time.monotonic()

    def take(self, number: int = 1) -> float:
        """0.0 where so many may be done now, and then they are; else in how many seconds, 1 at least.

        More than the bucket holds may be done when it is full, and it is empty for longer then.
        """
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._then) * self.per_second)
        self._then = now
        needed = min(number, self._most)
        if self._left < needed:
            return max(1.0, (needed - self._left) / self.per_second)
        self._left -= number
        return 0.0
