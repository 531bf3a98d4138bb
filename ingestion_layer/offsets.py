"""Where ingestion starts in Kafka, and the gaps that it must not step over."""

from __future__ import annotations

from kafka.errors import KafkaError

from catalogue.events import TOPICS
from catalogue.settings import Settings
from ingestion_layer.commits import IngestError, Offsets
from kafka import KafkaConsumer, TopicPartition


def starting_offsets(settings: Settings, head: Offsets) -> Offsets:
    """The first offset to read, by topic and partition: where `head` ends, or Kafka's earliest without one.

    Raises IngestError where Kafka can't be reached, a topic is missing, or what `head` ends at is gone.
    """
    earliest, latest = _bounds(settings)
    for topic, partitions in head.items():
        for partition, end in partitions.items():
            low = earliest.get(topic, {}).get(partition)
            high = latest.get(topic, {}).get(partition)
            if low is None or high is None:
                raise IngestError(
                    f"{topic} partition {partition}: must be in Kafka, {end} offsets were landed; got none"
                )
            if end < low:
                raise IngestError(f"{topic} partition {partition}: offsets {end} to {low - 1} are gone from Kafka "
                                  f"and were never landed")  # fmt: skip
            if end > high:
                raise IngestError(f"{topic} partition {partition}: Kafka must reach offset {end}, up to which was "
                                  f"landed; got {high}: the topic was made anew")  # fmt: skip
    return {
        topic: {partition: head.get(topic, {}).get(partition, low) for partition, low in partitions.items()}
        for topic, partitions in earliest.items()
    }


def _bounds(settings: Settings) -> tuple[Offsets, Offsets]:
    servers = settings.kafka_bootstrap_servers
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers.split(","), request_timeout_ms=10_000, bootstrap_timeout_ms=10_000
        )
    except (KafkaError, ValueError, OSError) as error:
        raise IngestError(f"Kafka: must answer at {servers}; got {type(error).__name__} {error}".strip()) from error
    try:
        wanted = []
        for topic in TOPICS:
            partitions = consumer.partitions_for_topic(topic)
            if not partitions:
                raise IngestError(f"topic {topic}: must exist at {servers}; got none")
            wanted += [TopicPartition(topic, p) for p in sorted(partitions)]
        return _by_topic(consumer.beginning_offsets(wanted)), _by_topic(consumer.end_offsets(wanted))
    except (KafkaError, OSError) as error:
        raise IngestError(f"Kafka: must answer at {servers}; got {type(error).__name__} {error}".strip()) from error
    finally:
        consumer.close()


def _by_topic(offsets: dict) -> Offsets:
    found: Offsets = {}
    for place, offset in offsets.items():
        found.setdefault(place.topic, {})[str(place.partition)] = offset
    return found
