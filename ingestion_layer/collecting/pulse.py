"""Whether what waits is taken."""

from __future__ import annotations

import time


class Pulse:
    """Counts what waits; silent when something does, and for `patience` seconds nothing was taken."""

    def __init__(self, patience: float):
        self.waiting = 0
        self._patience, self._heard = patience, 0.0  # when something was last taken, or began to wait alone

    @property
    def silent(self) -> bool:
        """Whether it waits in vain."""
        return self.quiet(self._patience)

    def quiet(self, seconds: float) -> bool:
        """Whether something waits, and nothing was taken for so long."""
        return self.waiting > 0 and time.monotonic() - self._heard > seconds

    def begin(self) -> None:
        """One more waits."""
        if not self.waiting:
            self.heard()
        self.waiting += 1

    def end(self, taken: bool) -> None:
        """One waits no longer; what is given up is no sign of life."""
        self.waiting -= 1
        if taken:
            self.heard()

    def heard(self) -> None:
        """Note a sign of life."""
        self._heard = time.monotonic()
