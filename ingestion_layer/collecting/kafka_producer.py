"""The client by which the collector sends to Kafka."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kafka.errors import KafkaError
from kafka.partitioner.default import DefaultPartitioner

from catalogue.events.unmapped import COLLECTED
from ingestion_layer.collecting.topic_limits import LARGEST_REQUEST
from ingestion_layer.partitions import partition_of
from kafka import KafkaProducer
from runtime.kafka_access import python_client
from runtime.settings import Settings

LINGER_MS = 5


class KeyPartitioner(DefaultPartitioner):  # type: ignore[misc]  # the client has no types
    """Kafka's own choice of a partition by key; a user's hash is computed once, not for every event."""

    def partition(
        self, topic: str, key: bytes, serialized_key: bytes, value: Any, serialized: Any, cluster: Any
    ) -> int:
        """Number of the partition."""
        return partition_of(serialized_key, len(cluster.partitions_for_topic(topic)))


def connected(settings: Settings) -> KafkaProducer:
    """A connected producer that knows the topics that there are. OSError where there is none."""
    producer = python_client(
        KafkaProducer,
        settings,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=LINGER_MS,
        partitioner=KeyPartitioner(),
        batch_size=256 * 1024,
        max_request_size=LARGEST_REQUEST,
        bootstrap_timeout_ms=5_000,
        max_block_ms=5_000,
        reconnect_backoff_max_ms=1_000,
    )
    ask(producer)
    if not any(knows(producer, topic) for topic in COLLECTED):
        producer.close(1)
        raise OSError(f"topic {next(iter(COLLECTED))}: must exist; got none")
    return producer


def ask(producer: KafkaProducer) -> None:
    """Ask Kafka for the topics that the client doesn't know; that takes seconds for each that there isn't."""
    for topic in COLLECTED:
        with suppress(KafkaError):
            producer.partitions_for(topic)


def knows(producer: KafkaProducer, topic: str) -> bool:
    """Whether the client knows a topic, as it does until the topic is deleted: sending to one that it doesn't know
    waits for seconds, and every sender with it. Its public question waits as long.
    """
    return producer._metadata.partitions_for_topic(topic) is not None
