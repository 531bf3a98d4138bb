"""Where Kafka ends, asked every few seconds beside a process' work, so that its lag can be told."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.background import Background
from runtime.kafka_offsets import KafkaBounds, OffsetError, Offsets
from runtime.logs import Log
from runtime.settings import Settings

EVERY_SECONDS = 5.0


class KafkaEnds:
    """`ends` by topic and partition, exclusive; empty while Kafka doesn't answer. It keeps its connection meanwhile.

    It asks by itself once it is started, or when `ask` is called.
    """

    def __init__(self, settings: Settings, topics: Iterable[str], log: Log) -> None:
        self.settings, self.topics = settings, tuple(topics)
        self.ends: Offsets = {}
        self._kafka: KafkaBounds | None = None
        self._background = Background("kafka-ends", log, self._look, EVERY_SECONDS)

    def start(self) -> None:
        """Ask every few seconds from now on."""
        self._background.start()

    def ask(self) -> Offsets:
        """The ends now. OffsetError where Kafka doesn't give them."""
        try:
            self._kafka = self._kafka or KafkaBounds(self.settings, self.topics)
            self.ends = self._kafka.read()[1]
        except OffsetError:
            self.ends = {}
            self._leave()
            raise
        return self.ends

    def stop(self) -> None:
        """Ask no more, and leave Kafka."""
        self._background.stop()
        self._leave()

    def _look(self) -> None:
        self.ask()

    def _leave(self) -> None:
        kafka, self._kafka = self._kafka, None
        if kafka:
            kafka.close()


def lags(ends: Offsets, head: Offsets) -> dict[str, int]:
    """Events that Kafka has beyond `head`, by topic."""
    return {
        topic: sum(max(0, end - head.get(topic, {}).get(partition, 0)) for partition, end in partitions.items())
        for topic, partitions in ends.items()
    }
