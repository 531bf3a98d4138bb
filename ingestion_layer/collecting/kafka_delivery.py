"""Kafka behind the collector: what it is given counts as delivered when every replica has it, and not before."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence

from kafka.errors import KafkaError

from catalogue.events.unmapped import COLLECTED
from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.refusals import come_again
from ingestion_layer.replay.row import Record
from ingestion_layer.sinks import KeyPartitioner
from kafka import KafkaProducer
from runtime.kafka_access import python_client
from runtime.logs import Log
from runtime.settings import Settings

LOG = Log("collector")
LINGER_MS = 5
# An event with its key; larger ones are refused before they come here.
LARGEST_EVENT = 8 * 2**20
RECONNECT_SECONDS = 1.0
CLOSE_SECONDS = 30


class KafkaDelivery:
    """Gives records to Kafka, idempotently and acknowledged by all replicas, in the order in which they are offered.

    Bounded by `budget`. Nothing is offered while Kafka has taken nothing for COLLECTOR_PATIENCE_SECONDS.
    """

    def __init__(self, settings: Settings, budget: Budget):
        self._settings, self._budget = settings, budget
        self._servers, self._patience = settings.kafka_bootstrap_servers, settings.collector_patience_seconds
        self._producer: KafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._waiting = 0
        self._heard = 0.0  # when Kafka last took something, or began to have something to take

    @property
    def away(self) -> bool:
        """Whether Kafka takes nothing."""
        return self._producer is None or (self._waiting > 0 and time.monotonic() - self._heard > self._patience)

    def start(self) -> None:
        """Begin to look for Kafka, which may come later."""
        self._connecting = asyncio.create_task(self._connect())

    async def close(self) -> None:
        """Deliver what was offered, for half a minute at most."""
        if self._connecting:
            self._connecting.cancel()
        if self._producer:
            await asyncio.to_thread(self._producer.close, CLOSE_SECONDS)

    def offer(self, records: Sequence[Record]) -> asyncio.Future[int]:
        """How many records Kafka has taken, all of them, once it has; or KafkaError, where that is not known.

        Refused with 503 where Kafka is away or too much waits; then nothing was offered.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        if not records:
            done.set_result(0)
            return done
        if self.away or self._producer is None:
            raise come_again("Kafka", "must take events; it is away, come again")
        size = sum(len(key) + len(value) for _, key, value in records)
        self._budget.take(size)
        if not self._waiting:
            self._heard = time.monotonic()
        self._waiting += 1
        done.add_done_callback(lambda _: self._settled(size))
        parcel = _Parcel(len(records), loop, done)
        try:
            for topic, key, value in records:
                sent = self._producer.send(topic, value, key=key or None)
                sent.add_callback(parcel.took).add_errback(parcel.failed)
        except (KafkaError, OSError) as error:
            parcel.failed(error)
        return done

    def _settled(self, size: int) -> None:
        self._waiting -= 1
        self._budget.give(size)
        self._heard = time.monotonic()

    async def _connect(self) -> None:
        told = False
        while self._producer is None:
            try:
                self._producer = await asyncio.to_thread(_producer, self._settings)
            except (KafkaError, ValueError, OSError) as error:
                if not told:
                    problem = str(error) or type(error).__name__
                    LOG.warning("Kafka is away", servers=self._servers, error=problem)
                told = True
                await asyncio.sleep(RECONNECT_SECONDS)
        LOG.info("Kafka takes events", servers=self._servers)


class _Parcel:
    """Records that are waited for together: counted in Kafka's thread, told in the loop's."""

    __slots__ = ("_done", "_left", "_lock", "_loop", "_number")

    def __init__(self, number: int, loop: asyncio.AbstractEventLoop, done: asyncio.Future[int]):
        self._number = self._left = number
        self._loop, self._done, self._lock = loop, done, threading.Lock()

    def took(self, _: object) -> None:
        """Kafka has one more."""
        with self._lock:
            self._left -= 1
            whole = not self._left
        if whole:
            self._loop.call_soon_threadsafe(self._tell, None)

    def failed(self, error: BaseException) -> None:
        """Kafka may not have one."""
        self._loop.call_soon_threadsafe(self._tell, error)

    def _tell(self, error: BaseException | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(self._number)
        else:
            self._done.set_exception(error)


def too_large(record: Record) -> bool:
    """Whether Kafka would refuse a record."""
    return len(record[1]) + len(record[2]) > LARGEST_EVENT


def _producer(settings: Settings) -> KafkaProducer:
    """A connected producer that knows every topic, so that sending never waits for that."""
    producer = python_client(
        KafkaProducer,
        settings,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=LINGER_MS,
        partitioner=KeyPartitioner(),
        batch_size=256 * 1024,
        max_request_size=16 * 2**20,
        bootstrap_timeout_ms=5_000,
        max_block_ms=5_000,
        reconnect_backoff_max_ms=1_000,
    )
    missing = _missing(producer, COLLECTED)
    if missing:
        producer.close(1)
        raise OSError(f"topic {missing}: must exist; got none")
    return producer


def _missing(producer: KafkaProducer, topics: Iterable[str]) -> str | None:
    for topic in topics:
        try:
            if producer.partitions_for(topic):
                continue
        except KafkaError:
            pass
        return topic
    return None
