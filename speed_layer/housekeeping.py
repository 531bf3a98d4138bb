"""What the speed layer does beside its micro-batches: tell that it is alive, merge old deltas, drop overtaken ones."""

from __future__ import annotations

import time

from catalogue.at_rest.alive import ALIVE, ALIVE_SECONDS, Alive
from catalogue.events import TOPICS
from runtime.background import Background
from runtime.kafka_ends import KafkaEnds
from runtime.logs import Log
from runtime.timestamps import now
from speed_layer.compaction import compact, drop_overtaken
from speed_layer.metrics import SpeedMetrics
from speed_layer.speed import Speed

COMPACT_SECONDS = 60.0
LOG = Log("speed")


class Housekeeping:
    """Tells every few seconds in `_alive.json` how far the deltas and Kafka are, and keeps the deltas few."""

    def __init__(self, speed: Speed, metrics: SpeedMetrics):
        self.speed, self.metrics = speed, metrics
        self.kafka = KafkaEnds(speed.settings, TOPICS, LOG)
        self._pause = min(COMPACT_SECONDS, speed.settings.compact_after_seconds)
        self._compacted = time.monotonic()
        self._background = Background("housekeeping", LOG, self._step, ALIVE_SECONDS)

    def start(self) -> None:
        """Begin."""
        self._background.start()

    def stop(self) -> None:
        """Stop and wait for the current step."""
        self._background.stop()
        self.kafka.stop()

    def _step(self) -> None:
        self._tell()
        if time.monotonic() - self._compacted > self._pause:
            self._compacted = time.monotonic()
            self._compact()

    def _tell(self) -> None:
        at = now()  # before Kafka is asked: what it lacks had not arrived at that moment
        ends = self.kafka.ask()
        self.metrics.behind(ends, self.speed.head)
        self.speed.speed.write(ALIVE, Alive(at=at, head=self.speed.head, kafka=ends).encoded())

    def _compact(self) -> None:
        merged, dropped = compact(self.speed), drop_overtaken(self.speed)
        with self.speed.lock:
            self.speed.maker.forget_old()
        if merged or dropped:
            self.metrics.compacted(merged, dropped, len(self.speed.deltas))
            LOG.info("compacted", merged=merged, dropped=dropped)
