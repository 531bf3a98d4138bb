"""Where a reader of topics starts in Kafka, and the gaps that it must not step over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from kafka.errors import KafkaError

from kafka import KafkaConsumer, TopicPartition
from runtime.errors import PlatformError
from runtime.kafka_access import python_client
from runtime.settings import Settings

Offsets = dict[str, dict[str, int]]


class OffsetError(PlatformError):
    """Kafka doesn't give what must be read from it."""


class KafkaAway(OffsetError):
    """Kafka doesn't answer; it may do so later."""


class Gap(OffsetError):
    """Kafka doesn't hold what must be read from it; that is for people to decide."""


def starting_offsets(settings: Settings, topics: Iterable[str], head: Offsets) -> Offsets:
    """The first offset to read of each of `topics`, by partition: where `head` ends, or Kafka's earliest without one.

    Raises KafkaAway where Kafka can't be reached, Gap where a topic is missing or what `head` ends at is gone.
    """
    with closing(KafkaBounds(settings, topics)) as kafka:
        earliest, latest = kafka.read()
    for topic, partitions in head.items():
        for partition, end in partitions.items():
            low = earliest.get(topic, {}).get(partition)
            high = latest.get(topic, {}).get(partition)
            if low is None or high is None:
                raise Gap(
                    f"{topic} partition {partition}: must be in Kafka, {end} offsets were taken from it; got none"
                )
            if end < low:
                raise Gap(
                    f"{topic} partition {partition}: offsets {end} to {low - 1} are gone from Kafka "
                    f"and were never taken from it"
                )
            if end > high:
                raise Gap(
                    f"{topic} partition {partition}: Kafka must reach offset {end}, up to which it was "
                    f"read; got {high}: the topic was made anew"
                )
    return {
        topic: {partition: head.get(topic, {}).get(partition, low) for partition, low in partitions.items()}
        for topic, partitions in earliest.items()
    }


class KafkaBounds:
    """A connection to Kafka that asks where topics begin and end; KafkaAway where it can't be had."""

    def __init__(self, settings: Settings, topics: Iterable[str]) -> None:
        self.servers, self.topics = settings.kafka_bootstrap_servers, tuple(topics)
        with self._reported():
            self.consumer = python_client(
                KafkaConsumer, settings, request_timeout_ms=10_000, bootstrap_timeout_ms=10_000
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, ValueError, OSError) as error:
            told = f"Kafka: must answer at {self.servers}; got {str(error) or type(error).__name__}"
            raise KafkaAway(told) from error

    def read(self) -> tuple[Offsets, Offsets]:
        """The earliest offsets that Kafka holds, and the ends (exclusive)."""
        with self._reported():
            wanted = []
            for topic in self.topics:
                partitions = self.consumer.partitions_for_topic(topic)
                if not partitions:
                    raise Gap(f"topic {topic}: must exist at {self.servers}; got none")
                wanted += [TopicPartition(topic, p) for p in sorted(partitions)]
            return _by_topic(self.consumer.beginning_offsets(wanted)), _by_topic(self.consumer.end_offsets(wanted))

    def close(self) -> None:
        """Leave."""
        self.consumer.close()


def _by_topic(offsets: dict[TopicPartition, int]) -> Offsets:
    found: Offsets = {}
    for place, offset in offsets.items():
        found.setdefault(place.topic, {})[str(place.partition)] = offset
    return found
