"""Where events go: Kafka, or JSON lines in a file or on standard output."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import BinaryIO

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from catalogue.events import TOPICS
from runtime.errors import PlatformError
from runtime.kafka_access import native_access
from runtime.settings import Settings

Record = tuple[str, bytes, bytes]
# How long a batch waits for more. What is sent as fast as it can be made fills larger ones: each costs the broker and
# this process some work, whatever is in it.
LINGER_MS, LINGER_FAST_MS = 20, 250
# What may wait for Kafka: as many bytes, and for so long each.
QUEUE_KBYTES = 64 * 1024
DELIVERY_SECONDS = 120
BOOTSTRAP_SECONDS, FLUSH_SECONDS = 10, 60
_SILENT = logging.Logger("librdkafka", logging.CRITICAL + 1)


class SinkError(PlatformError):
    """Events can't be delivered; the message is one line for people."""


class KafkaSink:
    """Sends records keyed by user, idempotently and acknowledged by all replicas; counts what Kafka took, by topic.

    `fast` is for records that come as fast as they can be made. SinkError where Kafka is away or lacks a topic.
    """

    def __init__(self, settings: Settings, fast: bool = False):
        self._servers = servers = settings.kafka_bootstrap_servers
        self.failures: list[str] = []
        self.acknowledged: Counter[str] = Counter()
        self._trouble = ""
        try:
            self._producer = Producer(
                {
                    **native_access(settings),
                    "acks": "all",
                    "enable.idempotence": True,
                    "partitioner": "murmur2_random",  # as Kafka's own clients, and `partition_of`
                    "compression.type": "lz4",
                    "linger.ms": LINGER_FAST_MS if fast else LINGER_MS,
                    "batch.size": 256 * 1024,
                    "message.max.bytes": 16 * 2**20,
                    "queue.buffering.max.kbytes": QUEUE_KBYTES,
                    "message.timeout.ms": DELIVERY_SECONDS * 1000,
                    "on_delivery": self._told,
                    "error_cb": self._heard,
                    "logger": _SILENT,  # what goes wrong is told by `_heard`
                }
            )
            known = self._topics()
        except KafkaException as error:
            raise self._error(error) from error
        if missing := sorted(TOPICS.keys() - known):  # sending to it would wait, and then not say what for
            raise SinkError(f"topic {missing[0]}: must exist at {servers}; got none")

    def _topics(self) -> set[str]:
        try:
            return set(self._producer.list_topics(timeout=BOOTSTRAP_SECONDS).topics)
        finally:
            self._producer.poll(0)  # what was heard of Kafka meanwhile

    def send(self, record: Record) -> None:
        """Queue a record; raises SinkError when an earlier one could not be delivered."""
        topic, key, value = record
        while True:
            try:
                self._producer.produce(topic, value, key)
                break
            except BufferError:  # as much waits as may
                self._producer.poll(0.1)
            except KafkaException as error:
                raise self._error(error) from error
        self._producer.poll(0)
        if self.failures:
            raise SinkError(self.failures[0])

    def close(self) -> None:
        """Deliver everything that is queued."""
        waiting = self._producer.flush(FLUSH_SECONDS)
        if waiting and not self.failures:
            self.failures.append(self._text(f"{waiting} of them unacknowledged after {FLUSH_SECONDS} s"))
        if self.failures:
            raise SinkError(self.failures[0])

    def _told(self, error: KafkaError | None, message: Message) -> None:
        if error:
            self.failures.append(self._text(error.str()))
        else:
            self.acknowledged[message.topic() or ""] += 1

    def _heard(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # says less than what was heard before
            self._trouble = error.str()

    def _error(self, error: KafkaException) -> SinkError:
        return SinkError(self._text(self._trouble or error.args[0].str()))

    def _text(self, got: str) -> str:
        return f"Kafka at {self._servers}: must take the events; got {got}"


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
