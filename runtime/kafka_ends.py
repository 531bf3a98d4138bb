"""Where Kafka ends, asked every few seconds beside a process' work, so that its lag can be told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from runtime.kafka_offsets import KafkaBounds, OffsetError, Offsets
from runtime.settings import Settings

EVERY_SECONDS = 5.0


class KafkaEnds(threading.Thread):
    """`ends` by topic and partition, exclusive; empty while Kafka doesn't answer."""

    def __init__(self, settings: Settings, topics: Iterable[str]) -> None:
        super().__init__(daemon=True, name="kafka-ends")
        self.settings, self.topics = settings, tuple(topics)
        self.ends: Offsets = {}

    def run(self) -> None:
        """As long as the process lives."""
        kafka: KafkaBounds | None = None
        while True:
            try:
                kafka = kafka or KafkaBounds(self.settings, self.topics)
                self.ends = kafka.read()[1]
            except OffsetError:
                self.ends = {}
                if kafka:
                    kafka.close()
                    kafka = None
            time.sleep(EVERY_SECONDS)


def lags(ends: Offsets, head: Offsets) -> dict[str, int]:
    """Events that Kafka has beyond `head`, by topic."""
    return {
        topic: sum(max(0, end - head.get(topic, {}).get(partition, 0)) for partition, end in partitions.items())
        for topic, partitions in ends.items()
    }
