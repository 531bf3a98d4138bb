"""What is served: a generation of topic states over one published run, and the thread that keeps it up to date.

A generation is replaced as a whole. Its successor is built beside it and takes over when it covers no less; requests
that began on the old one end on it. Whatever goes wrong with an object of the store leaves the last good state serving
and is told by `problem`.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from catalogue.deltas import ALIVE, Delta, chain, manifest_path, read_delta, read_deltas
from catalogue.events import TOPICS
from catalogue.logs import Log
from catalogue.runs import CURRENT
from catalogue.settings import Settings
from catalogue.storage import StorageError, Store, open_store
from serving_layer.realtime_state import RealtimeState
from serving_layer.topic_state import TopicState

LOG = Log("serving")
LOOK_SECONDS = 0.5
RELIST_SECONDS = 15.0
CATCH_UP_SECONDS = 60.0
ALIVE_SECONDS = 15.0
PROBLEMS = (StorageError, FileNotFoundError, ValueError, KeyError, TypeError, duckdb.Error, OSError)


@dataclass
class Generation:
    """The states of the six topics over one published run, and how many requests read them."""

    current: dict[str, Any]
    topics: dict[str, TopicState]
    readers: int = 0
    retired: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def run(self) -> str | None:
        """Id of the published run; None before the first."""
        return self.current.get("run")

    def leave(self) -> None:
        """Let go of it; the last one after its retirement closes it."""
        with self.lock:
            self.readers -= 1
            last = self.retired and self.readers == 0
        if last:
            self._close()

    def retire(self) -> None:
        """Close it as soon as nobody reads it."""
        with self.lock:
            self.retired = True
            idle = self.readers == 0
        if idle:
            self._close()

    def _close(self) -> None:
        for state in self.topics.values():
            state.close()


class ServingState(threading.Thread):
    """Follows the bucket: published runs and deltas. `problem` is None or says what the last look ran into."""

    def __init__(self, settings: Settings):
        super().__init__(daemon=True, name="serving-state")
        self.settings = settings
        self.batch: Store = open_store(settings.batch_views, settings)
        self.speed: Store = open_store(settings.speed_views, settings)
        self.generation: Generation | None = None
        self.realtime = RealtimeState()
        self.deltas: list[Delta] = []
        self.number = 0
        self.alive: dict[str, Any] = {}
        self.problem: str | None = "starting"
        self.deltas_applied = 0
        self.apply_seconds = 0.0
        self.stopping = threading.Event()
        self._tag: str | None = None
        self._building: threading.Thread | None = None
        self._applying = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[Generation]:
        """The generation that serves now, kept open meanwhile. RuntimeError before the first one."""
        while True:
            generation = self.generation
            if generation is None:
                raise RuntimeError("the serving layer is starting")
            with generation.lock:
                if not generation.retired:
                    generation.readers += 1
                    break
        try:
            yield generation
        finally:
            generation.leave()

    def stop(self) -> None:
        """Stop following, and drop the state."""
        self.stopping.set()
        if self.is_alive():
            self.join(30)
        if self._building:
            self._building.join(60)
        if self.generation:
            self.generation.retire()
            self.generation = None

    def run(self) -> None:
        """Follow the bucket until stopped."""
        looked = relisted = 0.0
        while not self.stopping.is_set():
            try:
                now = time.monotonic()
                if now - looked > LOOK_SECONDS:
                    looked = now
                    self._look()
                if self.generation is not None:
                    while self._next_delta():
                        pass
                    if now - relisted > RELIST_SECONDS:
                        relisted = now
                        self._catch_gaps()
                    if not self._building:
                        self.problem = None
            except PROBLEMS as error:
                self._tell(error)
                self.stopping.wait(1.0)
            self.stopping.wait(self.settings.poll_seconds)

    def _tell(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        if text != self.problem:
            LOG.warning("the last good state is served", run=self.generation and self.generation.run, error=text)
        self.problem = text

    def _look(self) -> None:
        if self._building and self._building.is_alive():
            return
        self._building = None
        tag = self.batch.etag(CURRENT)
        if self.generation is None or tag != self._tag:
            current = json.loads(self.batch.read(CURRENT)) if tag else {}
            if self.generation is None:
                self.generation = self._built(current)
                self._tag = tag
            else:
                self._building = threading.Thread(target=self._replace, args=(current, tag), daemon=True)
                self._building.start()
        try:
            self.alive = json.loads(self.speed.read(ALIVE))
        except FileNotFoundError:
            self.alive = {}

    @property
    def speed_is_alive(self) -> bool:
        """Whether a speed layer said so lately."""
        if "at" not in self.alive:
            return False
        return (datetime.now(UTC) - datetime.fromisoformat(self.alive["at"])).total_seconds() < ALIVE_SECONDS

    def _replace(self, current: dict[str, Any], tag: str | None) -> None:
        """Build the generation of a newly published run, and swap it in when it covers what the old one does."""
        try:
            fresh = self._built(current)
            deadline = time.monotonic() + CATCH_UP_SECONDS
            while not self.stopping.is_set():
                with self._applying:
                    self._lead_on(fresh)
                    if self._covers(fresh) or not self.speed_is_alive or time.monotonic() > deadline:
                        old, self.generation = self.generation, fresh
                        self._tag = tag
                        break
                self.stopping.wait(0.2)
            else:
                fresh.retire()
                return
            if old:
                old.retire()
            LOG.info("serves a new run", run=fresh.run)
        except PROBLEMS as error:
            self._tell(error)

    def _covers(self, fresh: Generation) -> bool:
        assert self.generation is not None
        return all(
            fresh.topics[topic].head.get(partition, 0) >= end
            for topic, state in self.generation.topics.items()
            for partition, end in state.head.items()
        )

    def _built(self, current: dict[str, Any]) -> Generation:
        fresh = Generation(current, {t: TopicState(t, current, self.batch, self.settings) for t in TOPICS})
        with self._applying:
            deltas = read_deltas(self.speed)
            known = {(d.number, d.last) for d in deltas}
            self.deltas = [
                *deltas,
                *(d for d in self.deltas if (d.number, d.last) not in known and d.number > self.number),
            ]
            first = self.generation is None
            if first:
                self.number = max((d.last for d in self.deltas), default=0)
            self._lead_on(fresh)
            for topic in TOPICS:
                if self.realtime.heads.get(topic) != fresh.topics[topic].head:
                    self._restart_windows(topic, fresh.topics[topic])
        return fresh

    def _restart_windows(self, topic: str, state: TopicState) -> None:
        """Windows of a topic from as far back as deltas lead to its cut."""
        before: list[Delta] = []
        start = state.cut
        while True:
            found = [d for d in self.deltas if d.touches(topic) and d.ends(topic) == start and d not in before]
            if not found or not start:
                break
            before.append(max(found, key=lambda d: d.last - d.number))
            start = before[-1].starts(topic)
        deltas = [*reversed(before), *chain(self.deltas, topic, state.cut)]
        if deltas:
            self.realtime.start(topic, deltas[0].starts(topic))
            for delta in deltas:
                with self._fetched(delta) as data:
                    self.realtime.apply(delta, data)
        else:
            self.realtime.start(topic, state.head)

    def _lead_on(self, generation: Generation) -> None:
        """Apply every delta that leads on from the generation's heads."""
        wanted: dict[int, tuple[Delta, list[TopicState]]] = {}
        for topic, state in generation.topics.items():
            for delta in chain(self.deltas, topic, state.head):
                wanted.setdefault(id(delta), (delta, []))[1].append(state)
        for delta, states in sorted(wanted.values(), key=lambda pair: pair[0].last):
            with self._fetched(delta) as data:
                for state in states:
                    state.apply(delta, data)

    @contextmanager
    def _fetched(self, delta: Delta) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="delta-") as folder:
            local = Path(folder) / "data.parquet"
            local.write_bytes(self.speed.read(delta.data))
            yield local

    def _next_delta(self) -> bool:
        try:
            delta = read_delta(self.speed, manifest_path(self.number + 1))
        except FileNotFoundError:
            return False
        started = time.monotonic()
        with self._applying:
            assert self.generation is not None
            with self._fetched(delta) as data:
                for topic, state in self.generation.topics.items():
                    if delta.touches(topic) and delta.follows(topic, state.head):
                        state.apply(delta, data)
                self.realtime.apply(delta, data)
            self.deltas.append(delta)
            self.number = delta.number
        self.deltas_applied += 1
        self.apply_seconds = time.monotonic() - started
        return True

    def _catch_gaps(self) -> None:
        """Where deltas were merged away before they were read here, go on with what they were merged into."""
        last = max((int(e.path.rsplit("/", 1)[1][:20]) for e in self.speed.list("_deltas/")), default=0)
        if last <= self.number:
            return
        with self._applying:
            assert self.generation is not None
            self.deltas = read_deltas(self.speed)
            self.number = max(d.last for d in self.deltas)
            self._lead_on(self.generation)
            for topic, state in self.generation.topics.items():
                if self.realtime.heads.get(topic) != state.head:
                    self._restart_windows(topic, state)
