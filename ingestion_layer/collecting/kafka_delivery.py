"""Kafka behind the collector: what it is given counts as delivered when every replica has it, and not before."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial

from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from catalogue.events.unmapped import COLLECTED
from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.kafka_producer import ask, connected, knows
from ingestion_layer.collecting.pulse import Pulse
from ingestion_layer.collecting.refusals import Refused, come_again
from ingestion_layer.collecting.topic_limits import Limits
from ingestion_layer.replay.row import Record
from kafka import KafkaProducer
from runtime.logs import Log
from runtime.settings import Settings

LOG = Log("collector")
# An event with its key; larger ones are refused before they come here.
LARGEST_EVENT = 8 * 2**20
RECONNECT_SECONDS = 1.0
CLOSE_SECONDS = 30
# How often it is seen whether something waits in vain, and how often topics' limits are read where nothing does.
LOOK_SECONDS, LIMITS_SECONDS = 0.5, 30.0
Judge = Callable[[BaseException], BaseException]
# A topic that refuses whatever it is sent, as without rights, is left alone so long: each try costs the client.
HOLD_SECONDS = 10.0
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class KafkaDelivery:
    """Gives records to Kafka, idempotently and acknowledged by all replicas, in the order in which they are offered.

    Bounded by `budget`. Nothing is offered to a topic that has taken nothing for COLLECTOR_PATIENCE_SECONDS of what
    was offered to it; others go on.
    """

    def __init__(self, settings: Settings, budget: Budget):
        self._settings, self._budget = settings, budget
        self._servers, self._patience = settings.kafka_bootstrap_servers, settings.collector_patience_seconds
        self._producer: KafkaProducer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.limits = Limits()
        self._pulse = Pulse(self._patience)
        self._topics: dict[str, Pulse] = defaultdict(partial(Pulse, self._patience))
        self._held: dict[str, float] = {}

    @property
    def away(self) -> bool:
        """Whether Kafka takes nothing, and doesn't say so either."""
        return self._producer is None or self._pulse.silent

    def start(self) -> None:
        """Begin to look for Kafka, which may come later."""
        self._begin(self._connect())
        self._begin(self._watch())

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Deliver what was offered, for half a minute at most."""
        for task in self._tasks:
            task.cancel()
        if self._producer:
            await asyncio.to_thread(self._producer.close, CLOSE_SECONDS)

    def offer(self, records: Sequence[Record]) -> asyncio.Future[int]:
        """How many records Kafka has taken, all of them, once it has; or KafkaError, where that is not known, and
        Refused with 413 where it never will take one.

        Refused with 503 where Kafka is away, a topic takes nothing or too much waits, with 413 for a record over its
        topic's limit; then nothing was offered.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        if not records:
            done.set_result(0)
            return done
        if self.away or self._producer is None:
            raise come_again("Kafka", "must take events; it is away, come again")
        topics = {topic for topic, _, _ in records}
        for topic in topics:
            held = time.monotonic() < self._held.get(topic, 0.0)
            if held or self._topics[topic].silent or not knows(self._producer, topic):
                raise come_again("Kafka", f"{topic} must take events; it takes none, come again")
        for record in records:
            if self.limits.exceeded(record):
                raise self._too_large(record[0])
        size = sum(len(key) + len(value) for _, key, value in records)
        self._budget.take(size)
        pulses = [self._pulse, *(self._topics[topic] for topic in topics)]
        for pulse in pulses:
            pulse.begin()
        done.add_done_callback(lambda done: self._settled(done, size, pulses))
        parcel = _Parcel(len(records), loop, done)
        judges = {topic: partial(self._failure, self._producer, topic) for topic in topics}
        failed = {topic: partial(parcel.failed, judge) for topic, judge in judges.items()}
        try:
            for topic, key, value in records:
                sent = self._producer.send(topic, value, key=key or None)
                sent.add_callback(parcel.took).add_errback(failed[topic])
        except _TOO_LARGE:  # for the client itself, which then goes on
            parcel.failed(None, self._too_large(topic))
        except (KafkaError, OSError) as error:
            parcel.failed(None, error)
        return done

    def _settled(self, done: asyncio.Future[int], size: int, pulses: Sequence[Pulse]) -> None:
        self._budget.give(size)
        for pulse in pulses:
            pulse.end(not done.cancelled() and done.exception() is None)

    def _failure(self, producer: KafkaProducer, topic: str, error: BaseException) -> BaseException:
        """What an error that Kafka told means for a record of a topic.

        After one that no repetition mends the client takes nothing more, and fails all that it has with that same
        error: it is replaced, and only the first that failed has failed for what it is.
        """
        if producer is not self._producer or getattr(error, "retriable", True):
            return error
        LOG.warning("Kafka refused an event", topic=topic, error=error)
        self._producer = None
        self._begin(self._replaced(producer))
        if isinstance(error, _TOO_LARGE):
            return self._too_large(topic)
        self._held[topic] = time.monotonic() + HOLD_SECONDS
        return error

    def _too_large(self, topic: str) -> Refused:
        most = min(self.limits.most(topic), LARGEST_EVENT)
        return Refused(413, "body", f"must have events that {topic} takes, of at most {most} bytes")

    async def _replaced(self, producer: KafkaProducer) -> None:
        await asyncio.to_thread(producer.close, 0)
        await self._connect()

    async def _connect(self) -> None:
        told = False
        while self._producer is None:
            try:
                await self._look()
                self._producer = await asyncio.to_thread(connected, self._settings)
            except (KafkaError, ValueError, OSError) as error:
                if not told:
                    problem = str(error) or type(error).__name__
                    LOG.warning("Kafka is away", servers=self._servers, error=problem)
                told = True
                await asyncio.sleep(RECONNECT_SECONDS)
        LOG.info("Kafka takes events", servers=self._servers)

    async def _watch(self) -> None:
        """Ask a Kafka that takes nothing whether it is there: then it is topics that don't take, not all of them."""
        told: str | None = None
        read = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            producer = self._producer
            if producer is None:
                continue
            lacking = next((topic for topic in COLLECTED if not knows(producer, topic)), None)
            if lacking != told and lacking:
                LOG.warning("topic must exist", topic=lacking)
            told = lacking
            if lacking:
                await asyncio.to_thread(ask, producer)
            if self._pulse.quiet(self._patience / 2) or time.monotonic() - read > LIMITS_SECONDS:
                with suppress(KafkaError, ValueError, OSError):
                    await self._look()
                    self._pulse.heard()
                read = time.monotonic()

    async def _look(self) -> None:
        await asyncio.to_thread(self.limits.read, self._settings)


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
            self._loop.call_soon_threadsafe(self._tell)

    def failed(self, judge: Judge | None, error: BaseException) -> None:
        """Kafka may not have one; `judge` says in the loop's thread what that means."""
        self._loop.call_soon_threadsafe(self._tell, judge, error)

    def _tell(self, judge: Judge | None = None, error: BaseException | None = None) -> None:
        if judge is not None and error is not None:
            error = judge(error)
        if self._done.done():
            return
        if error is None:
            self._done.set_result(self._number)
        else:
            self._done.set_exception(error)
