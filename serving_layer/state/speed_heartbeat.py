"""What the speed layer says of itself: that it lives, and where Kafka ended when it last looked."""

from __future__ import annotations

from catalogue.at_rest.alive import Alive, read_alive
from runtime.storage.store import Store


class SpeedHeartbeat:
    """The newest sign of life, `said`; None where there was never one."""

    def __init__(self, speed: Store):
        self.speed = speed
        self.said: Alive | None = None

    def look(self) -> None:
        """Read what it says."""
        self.said = read_alive(self.speed)

    @property
    def is_fresh(self) -> bool:
        """Whether it said so lately."""
        return self.said is not None and not self.said.gone
