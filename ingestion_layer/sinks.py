"""Where events go: Kafka, or JSON lines in a file or on standard output."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from typing import Any, BinaryIO

from kafka.errors import KafkaError
from kafka.partitioner.default import DefaultPartitioner

from catalogue.events import TOPICS
from ingestion_layer.partitions import partition_of
from kafka import KafkaConsumer, KafkaProducer
from runtime.errors import PlatformError
from runtime.kafka_access import python_client
from runtime.settings import Settings

Record = tuple[str, bytes, bytes]
# How long a batch waits for more. What is sent as fast as it can be made fills larger ones: each costs the broker and
# this process some work, whatever is in it.
LINGER_MS, LINGER_FAST_MS = 20, 250


class KeyPartitioner(DefaultPartitioner):  # type: ignore[misc]  # the client has no types
    """Kafka's own choice of a partition by key; a user's hash is computed once, not for every event."""

    def partition(
        self, topic: str, key: bytes, serialized_key: bytes, value: Any, serialized: Any, cluster: Any
    ) -> int:
        """Number of the partition."""
        return partition_of(serialized_key, len(cluster.partitions_for_topic(topic)))


class SinkError(PlatformError):
    """Events can't be delivered; the message is one line for people."""


class KafkaSink:
    """Sends records keyed by user, idempotently and acknowledged by all replicas; counts what Kafka took, by topic.

    `fast` is for records that come as fast as they can be made. SinkError where Kafka is away or lacks a topic.
    """

    def __init__(self, settings: Settings, fast: bool = False):
        self._servers = servers = settings.kafka_bootstrap_servers
        self.failures: list[BaseException] = []
        self.acknowledged: Counter[str] = Counter()
        try:
            with closing(python_client(KafkaConsumer, settings, bootstrap_timeout_ms=10_000)) as asking:
                missing = sorted(TOPICS.keys() - asking.topics())
            if missing:  # sending to it would wait for a minute, and then not say what for
                raise SinkError(f"topic {missing[0]}: must exist at {servers}; got none")
            self._producer = python_client(
                KafkaProducer,
                settings,
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=LINGER_FAST_MS if fast else LINGER_MS,
                partitioner=KeyPartitioner(),
                batch_size=256 * 1024,
                max_request_size=16 * 2**20,
                bootstrap_timeout_ms=10_000,
            )
        except (KafkaError, ValueError, OSError) as error:
            raise self._error(error) from error

    def send(self, record: Record) -> None:
        """Queue a record; raises SinkError when an earlier one could not be delivered."""
        topic, key, value = record
        try:
            sent = self._producer.send(topic, value, key=key)
            sent.add_callback(self._took).add_errback(self.failures.append)
        except (KafkaError, OSError) as error:
            raise self._error(error) from error
        if self.failures:
            raise self._error(self.failures[0])

    def _took(self, record: Any) -> None:
        self.acknowledged[record.topic] += 1

    def close(self) -> None:
        """Deliver everything that is queued."""
        try:
            self._producer.flush(60)
            self._producer.close(10)
        except (KafkaError, OSError) as error:
            raise self._error(error) from error
        if self.failures:
            raise self._error(self.failures[0])

    def _error(self, error: BaseException) -> SinkError:
        return SinkError(f"Kafka at {self._servers}: must take the events; got {str(error) or type(error).__name__}")


class FileSink:
    """Writes each record's value as a line; `-` is standard output. Unless `fast`, a line is there once it is sent."""

    def __init__(self, path: str, fast: bool = False):
        self._path, self._fast = path, fast
        try:
            self._file: BinaryIO = sys.stdout.buffer if path == "-" else open(path, "wb")  # noqa: SIM115
        except OSError as error:
            raise SinkError(f"--output {path}: must be a file that can be written; got {error.strerror}") from error

    def send(self, record: Record) -> None:
        """Write a record."""
        try:
            self._file.write(record[2] + b"\n")
            if not self._fast:
                self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(f"--output {self._path}: must take the events; got {error.strerror}") from error

    def close(self) -> None:
        """Make sure that everything is written."""
        try:
            self._file.flush()
            if self._path != "-":
                self._file.close()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(f"--output {self._path}: must take the events; got {error.strerror}") from error
