"""What the speed layer does beside its micro-batches: tell that it is alive, merge old deltas, drop overtaken ones."""

from __future__ import annotations

import time

from catalogue.at_rest.alive import ALIVE, ALIVE_SECONDS, Alive
from catalogue.events import TOPICS
from runtime.background import Background
from runtime.kafka_ends import KafkaEnds
from runtime.logs import Log
from runtime.storage.store import Store
from runtime.timestamps import now
from speed_layer.compaction import compact, drop_overtaken, kept_cuts
from speed_layer.delta_stream import DeltaStream
from speed_layer.metrics import SpeedMetrics

COMPACT_SECONDS = 60.0
LOG = Log("speed")


class Housekeeping:
    """Tells every few seconds in `_alive.json` how far the deltas and Kafka are, and keeps the deltas few."""

    def __init__(self, stream: DeltaStream, batch: Store, metrics: SpeedMetrics):
        self.stream, self.batch, self.metrics = stream, batch, metrics
        self.kafka = KafkaEnds(stream.settings, TOPICS, LOG)
        self._age = stream.settings.compact_after_seconds
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
        if time.monotonic() - self._compacted > min(COMPACT_SECONDS, self._age):
            self._compacted = time.monotonic()
            self._compact()

    def _tell(self) -> None:
        at = now()  # before Kafka is asked: what it lacks had not arrived at that moment
        ends, head = self.kafka.ask(), self.stream.head
        self.metrics.behind(ends, head)
        self.stream.deltas.store.write(ALIVE, Alive(at=at, head=head, kafka=ends).encoded())

    def _compact(self) -> None:
        deltas, cuts = self.stream.deltas, kept_cuts(self.batch)
        merged, dropped = compact(deltas, cuts, self._age), drop_overtaken(deltas, cuts)
        segments = self.stream.horizon.merge_segments(self.stream.head)
        segments += self.stream.horizon.forget_old(self.stream.settings.duplicate_days, self.stream.head)
        if merged or dropped or segments:
            self.metrics.compacted(merged, dropped, len(deltas))
            LOG.info("compacted", merged=merged, dropped=dropped, id_segments=segments)
