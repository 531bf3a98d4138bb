"""Where a reader of the six topics starts in Kafka, and the gaps that it must not step over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from kafka.errors import KafkaError

from catalogue.events import TOPICS
from catalogue.settings import Settings
from kafka import KafkaConsumer, TopicPartition

Offsets = dict[str, dict[str, int]]


class OffsetError(Exception):
    """Kafka doesn't hold what must be read from it; the message is one line for people."""


def starting_offsets(settings: Settings, head: Offsets) -> Offsets:
    """The first offset to read, by topic and partition: where `head` ends, or Kafka's earliest without one.

    Raises OffsetError where Kafka can't be reached, a topic is missing, or what `head` ends at is gone.
    """
    with closing(KafkaBounds(settings)) as kafka:
        earliest, latest = kafka.read()
    for topic, partitions in head.items():
        for partition, end in partitions.items():
            low = earliest.get(topic, {}).get(partition)
            high = latest.get(topic, {}).get(partition)
            if low is None or high is None:
                raise OffsetError(
                    f"{topic} partition {partition}: must be in Kafka, {end} offsets were taken from it; got none"
                )
            if end < low:
                raise OffsetError(
                    f"{topic} partition {partition}: offsets {end} to {low - 1} are gone from Kafka "
                    f"and were never taken from it"
                )
            if end > high:
                raise OffsetError(
                    f"{topic} partition {partition}: Kafka must reach offset {end}, up to which it was "
                    f"read; got {high}: the topic was made anew"
                )
    return {
        topic: {partition: head.get(topic, {}).get(partition, low) for partition, low in partitions.items()}
        for topic, partitions in earliest.items()
    }


class KafkaBounds:
    """A connection to Kafka that asks where the six topics begin and end; OffsetError where it can't be had."""

    def __init__(self, settings: Settings) -> None:
        self.servers = settings.kafka_bootstrap_servers
        with self._reported():
            self.consumer = KafkaConsumer(
                bootstrap_servers=self.servers.split(","), request_timeout_ms=10_000, bootstrap_timeout_ms=10_000
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, ValueError, OSError) as error:
            told = f"Kafka: must answer at {self.servers}; got {str(error) or type(error).__name__}"
            raise OffsetError(told) from error

    def read(self) -> tuple[Offsets, Offsets]:
        """The earliest offsets that Kafka holds, and the ends (exclusive)."""
        with self._reported():
            wanted = []
            for topic in TOPICS:
                partitions = self.consumer.partitions_for_topic(topic)
                if not partitions:
                    raise OffsetError(f"topic {topic}: must exist at {self.servers}; got none")
                wanted += [TopicPartition(topic, p) for p in sorted(partitions)]
            return _by_topic(self.consumer.beginning_offsets(wanted)), _by_topic(self.consumer.end_offsets(wanted))

    def close(self) -> None:
        """Leave."""
        self.consumer.close()


def _by_topic(offsets: dict) -> Offsets:
    found: Offsets = {}
    for place, offset in offsets.items():
        found.setdefault(place.topic, {})[str(place.partition)] = offset
    return found
