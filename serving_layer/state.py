"""What is served: a generation of topic states over one published run, and the thread that keeps it up to date.

A generation is replaced as a whole. Its successor is built beside it and takes over when it covers no less, so that no
answer goes back; only where an older run was published again may it do so. Requests that began on the old one end on
it. Whatever goes wrong with an object of the store leaves the last good state serving and is told by `problem`.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catalogue.at_rest.alive import Alive, read_alive
from catalogue.at_rest.deltas import Delta, manifest_path, read_delta, read_deltas
from catalogue.at_rest.runs import CURRENT, RunManifest, current
from catalogue.events import TOPICS
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from serving_layer.generation import Generation
from serving_layer.objects import fetched
from serving_layer.realtime_state import RealtimeState
from serving_layer.topic_state import TopicState

LOG = Log("serving")
LOOK_SECONDS = 0.5
RELIST_SECONDS = 15.0
CATCH_UP_SECONDS = 60.0
RETRY_SECONDS = 2.0
# A tag that no object has: what is published has to be read again.
UNREAD = "unread"


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
        self.alive: Alive | None = None
        self.problem: str | None = "starting"
        # The run that is built and waits until the speed layer leads on from its cut to what is served.
        self.waiting: str | None = None
        self.deltas_applied = 0
        self.apply_seconds = 0.0
        self.stopping = threading.Event()
        self._tag: str | None = UNREAD
        self._looked = self._listed = 0.0
        # What is wrong with what is published, with the run that should be served, and with the row of deltas.
        self._unseen: str | None = None
        self._unbuilt: str | None = None
        self._gap: str | None = None
        self._lost_windows: set[str] = set()
        self._building: threading.Thread | None = None
        self._applying = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[Generation]:
        """The generation that serves now, kept open meanwhile. RuntimeError before the first one."""
        while True:
            generation = self.generation
            if generation is None:
                raise RuntimeError("the serving layer is starting")
            if generation.enter():
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
        while not self.stopping.is_set():
            now = time.monotonic()
            if now > self._looked + (RETRY_SECONDS if self._unseen else LOOK_SECONDS):
                self._looked = now
                self._unseen = self._attempt(self._look)
            damaged = self._attempt(self._follow_deltas) if self.generation else None
            self._tell(self._unseen or self._unbuilt or damaged or self._gap)
            self.stopping.wait(RETRY_SECONDS if damaged else self.settings.poll_seconds)

    def _attempt(self, step: Callable[[], None]) -> str | None:
        """Do a step; None, or what went wrong. An object can be damaged in any way, and be whole again later."""
        try:
            step()
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0]
        return None

    def _tell(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            LOG.warning("the last good state is served", run=self.generation and self.generation.run, error=problem)
        self.problem = problem

    def _follow_deltas(self) -> None:
        while self._next_delta():
            pass
        if time.monotonic() > self._listed + RELIST_SECONDS:
            self._listed = time.monotonic()
            self._catch_gaps()
        self._find_windows()

    def _look(self) -> None:
        self.alive = read_alive(self.speed)
        if self._building and self._building.is_alive():
            return
        self._building = None
        tag = self.batch.etag(CURRENT)
        if self.generation and tag == self._tag:
            self._unbuilt = None  # what could not be built isn't published any more
            return
        published, tag = current(self.batch)
        if tag is None and self.generation and self.generation.run:
            raise FileNotFoundError(f"'{CURRENT}' in {self.batch.uri} is gone")
        if self.generation is None:
            self.generation = self._built(published)
            self._tag = tag
        else:
            self._building = threading.Thread(target=self._replace, args=(published, tag), daemon=True)
            self._building.start()

    @property
    def speed_is_alive(self) -> bool:
        """Whether a speed layer said so lately."""
        return self.alive is not None and not self.alive.gone

    def _replace(self, published: RunManifest, tag: str | None) -> None:
        """Build the generation of a newly published run, and swap it in unless another run is published meanwhile."""
        fresh: list[Generation] = []

        def step() -> None:
            fresh.append(self._built(published))
            if self._takes_over(fresh[0], tag):
                LOG.info("serves a new run", run=fresh.pop().run)

        self._unbuilt = self._attempt(step)
        self.waiting = None
        for unwanted in fresh:
            unwanted.retire()
        if self._unbuilt:
            self.stopping.wait(RETRY_SECONDS)

    def _takes_over(self, fresh: Generation, tag: str | None) -> bool:
        """Wait until `fresh` covers what is served, and let it serve; False where it isn't wanted any more."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not self.stopping.is_set() and self.batch.etag(CURRENT) == tag:
            with self._applying:
                old = self.generation
                assert old is not None
                fresh.lead_on(self.deltas, self._fetched)
                in_vain = not self.speed_is_alive or time.monotonic() > deadline
                if fresh.covers(old) or fresh.goes_back(old) and in_vain:
                    self.generation, self._tag = fresh, tag
                    self._skip_deltas(fresh)
                    old.retire()
                    return True
            self.waiting = fresh.run
            self.stopping.wait(0.2)
        return False

    def _built(self, published: RunManifest) -> Generation:
        topics: dict[str, TopicState] = {}
        try:
            for topic in TOPICS:
                topics[topic] = TopicState(topic, published, self.batch, self.settings)
            fresh = Generation(published, topics)
            with self._applying:
                self.deltas = read_deltas(self.speed, self.deltas)
                fresh.lead_on(self.deltas, self._fetched)
                if self.generation is None:
                    led = max(state.applied for state in topics.values())
                    self.number = led or max((d.last for d in self.deltas), default=0)
                    self._skip_deltas(fresh)
                    self._lost_windows = set(TOPICS)
            return fresh
        except BaseException:
            for state in topics.values():
                state.close()
            raise

    def _skip_deltas(self, generation: Generation) -> None:
        """Go on after the newest delta where the generation reaches its ends."""
        newest = max(self.deltas, key=lambda d: d.last, default=None)
        if newest and newest.last > self.number and generation.reaches(newest):
            self.number, self._lost_windows, self._gap = newest.last, set(TOPICS), None

    def _find_windows(self) -> None:
        """Make the windows anew where deltas were missed or others have overtaken them."""
        if self._lost_windows:
            with self._applying:
                self.realtime.retrace(self.deltas, self._lost_windows, self._fetched)
            self._lost_windows = set()

    @contextmanager
    def _fetched(self, delta: Delta) -> Iterator[Path]:
        with (
            tempfile.TemporaryDirectory(prefix="delta-") as folder,
            fetched(self.speed, delta.data, Path(folder) / "data.parquet") as local,
        ):
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
                self.generation.apply(delta, data)
                self.realtime.apply(delta, data)
            self._lost_windows |= self.realtime.overtaken(delta)
            self.deltas.append(delta)
            self.number = delta.number
            self._gap = None
        self.deltas_applied += 1
        self.apply_seconds += time.monotonic() - started
        return True

    def _catch_gaps(self) -> None:
        """Where deltas were merged away before they were read here, go on with what they were merged into."""
        with self._applying:
            assert self.generation is not None
            self.deltas = read_deltas(self.speed, self.deltas)
            newer = [d for d in self.deltas if d.last > self.number]
            following = min(newer, key=lambda d: d.number, default=None)
            if following is None or following.number == following.last == self.number + 1:
                return
            if following.number > self.number + 1:
                self._gap = f"delta {self.number + 1} is missing, and later ones are there"
                return
            self.generation.lead_on(self.deltas, self._fetched)
            if following.number <= self.number:  # it leads on from an earlier state than this one
                self._tag = UNREAD
            self._lost_windows = set(TOPICS)
            self.number = following.last
