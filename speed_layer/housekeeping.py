"""What the speed layer does beside its micro-batches: say that it is alive, merge old deltas, drop overtaken ones."""

from __future__ import annotations

import json
import threading
import time

import duckdb

from catalogue.at_rest.deltas import ALIVE
from catalogue.events import TOPICS
from runtime.kafka_offsets import KafkaBounds, OffsetError
from runtime.logs import Log
from runtime.storage.store import StorageError
from runtime.timestamps import now
from speed_layer import metrics
from speed_layer.compaction import compact, drop_overtaken
from speed_layer.speed import Speed

ALIVE_SECONDS = 2.0
COMPACT_SECONDS = 60.0
LOG = Log("speed")


class Housekeeping(threading.Thread):
    """Writes `_alive.json` (when, Kafka's ends then) every few seconds, and keeps the deltas few. It never stops the stream."""

    def __init__(self, speed: Speed):
        super().__init__(daemon=True, name="housekeeping")
        self.speed = speed
        self.stopping = threading.Event()
        self.kafka: KafkaBounds | None = None

    def stop(self) -> None:
        """Stop and wait for the current step."""
        self.stopping.set()
        if self.is_alive():
            self.join(30)

    def run(self) -> None:
        """Until stopped."""
        compacted = time.monotonic()
        pause = min(COMPACT_SECONDS, self.speed.settings.compact_after_seconds)
        while not self.stopping.wait(ALIVE_SECONDS):
            try:
                self._tell()
                if time.monotonic() - compacted > pause:
                    compacted = time.monotonic()
                    merged, dropped = compact(self.speed), drop_overtaken(self.speed)
                    with self.speed.lock:
                        self.speed.maker.forget_old()
                    if merged or dropped:
                        metrics.compacted(merged, dropped, len(self.speed.deltas))
                        LOG.info("compacted", merged=merged, dropped=dropped)
            except (StorageError, OffsetError, OSError, ValueError, duckdb.Error) as error:
                LOG.warning("housekeeping failed", error=error)
                self._leave_kafka()
        self._leave_kafka()

    def _leave_kafka(self) -> None:
        if self.kafka:
            self.kafka.close()
            self.kafka = None

    def _tell(self) -> None:
        if self.kafka is None:
            self.kafka = KafkaBounds(self.speed.settings, TOPICS)
        at = now()
        _, ends = self.kafka.read()
        metrics.behind(ends, self.speed.head)
        told = {"at": at, "head": self.speed.head, "kafka": ends}
        self.speed.speed.write(ALIVE, json.dumps(told).encode())
