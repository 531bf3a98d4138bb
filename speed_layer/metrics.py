"""Prometheus metrics of the speed layer."""

from __future__ import annotations

from catalogue.at_rest.deltas import Delta
from runtime.exposition import Exposition
from runtime.kafka_ends import lags
from runtime.kafka_offsets import Offsets


class SpeedMetrics:
    """What a process has done, in however many starts of its stream, and how far it is."""

    def __init__(self) -> None:
        self.exposition = Exposition("speed")
        self.events = self.exposition["speed_events_total"]
        self.heads, self.lag = self.exposition["speed_head_offset"], self.exposition["speed_lag_events"]
        self.moment = self.exposition["speed_last_delta_timestamp_seconds"]
        self.seconds, self.deltas = self.exposition["speed_delta_seconds"], self.exposition["speed_deltas"]
        self.merged = self.exposition["speed_deltas_merged_total"]
        self.dropped = self.exposition["speed_deltas_dropped_total"]
        self.starts = self.exposition["speed_starts_total"]

    def started(self, head: Offsets, kept: int) -> None:
        """The stream starts at `head`, with so many deltas."""
        self.starts.inc()
        self.moment.set_to_current_time()
        self.deltas.set(kept)
        self._reached(head)

    def published(self, delta: Delta, kept: int, seconds: float) -> None:
        """A delta was published; `kept` are there now."""
        self.seconds.observe(seconds)
        self.moment.set_to_current_time()
        self.deltas.set(kept)
        for topic, partitions in delta.ledger.items():
            for entry in partitions.values():
                for fate, count in entry.items():
                    self.events.labels(topic, fate).inc(count)
        self._reached({topic: delta.ends(topic) for topic in delta.ranges})

    def compacted(self, merged: int, dropped: int, kept: int) -> None:
        """Old deltas were merged or dropped; `kept` are there now."""
        self.merged.inc(merged)
        self.dropped.inc(dropped)
        self.deltas.set(kept)

    def behind(self, ends: Offsets, head: Offsets) -> None:
        """Kafka ends at `ends`, the deltas at `head`."""
        for topic, waiting in lags(ends, head).items():
            self.lag.labels(topic).set(waiting)

    def _reached(self, head: Offsets) -> None:
        for topic, partitions in head.items():
            for partition, end in partitions.items():
                self.heads.labels(topic, partition).set(end)
