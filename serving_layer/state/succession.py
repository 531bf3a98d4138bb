"""How a newly published run comes to be served: built beside the one before, it takes over when it covers no less.

So no answer goes back; only where an older run was published again may it do so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from catalogue.at_rest.runs import CURRENT, RunManifest, current
from catalogue.events import TOPICS
from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.store import StorageError, Store
from serving_layer.state.delta_feed import DeltaFeed
from serving_layer.state.generation import Generation
from serving_layer.state.realtime_state import RealtimeState
from serving_layer.state.served import Served
from serving_layer.state.speed_heartbeat import SpeedHeartbeat
from serving_layer.state.topic_state import TopicState

LOG = Log("serving")
CATCH_UP_SECONDS = 60.0
RETRY_SECONDS = 2.0
# A tag that no object has: what is published has to be read again.
UNREAD = "unread"


def outcome(step: Callable[[], object]) -> str | None:
    """Do a step; None, or what went wrong. An object can be damaged in any way, and be whole again later."""
    try:
        step()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


class Succession:
    """Looks for published runs and builds their generations.

    `waiting` is the run that is built and waits until the speed layer leads on from its cut to what is served.
    `problem` is None, or says why the published run couldn't be built.
    """

    def __init__(
        self,
        settings: Settings,
        batch: Store,
        served: Served,
        feed: DeltaFeed,
        heartbeat: SpeedHeartbeat,
        realtime: RealtimeState,
    ):
        self.settings, self.batch, self.served, self.feed = settings, batch, served, feed
        self.heartbeat, self.realtime = heartbeat, realtime
        self.waiting: str | None = None
        self.problem: str | None = None
        # What else keeps copies of rows, and has to let go of them when somebody was erased.
        self.forgetting: list[Callable[[], None]] = []
        self.stopping = threading.Event()
        self._tag: str | None = UNREAD
        self._building: Background | None = None

    @property
    def is_building(self) -> bool:
        """Whether a generation is being built, or waits."""
        return self._building is not None and self._building.runs

    def look(self) -> None:
        """Look at what is published. The first run is built at once, a later one by a thread of its own."""
        if self.is_building:
            return
        tag = self.batch.etag(CURRENT)
        serving = self.served.generation
        if serving and tag == self._tag:
            self.problem = None  # what could not be built isn't published any more
            return
        published, tag = current(self.batch)
        if tag is None and serving and serving.run:
            raise StorageError(f"'{CURRENT}' in {self.batch.uri} is gone")
        if serving is None:
            fresh = self._built(published)
            with self.served.changing:
                self.feed.begin_with(fresh)
                self.feed.skip_to(fresh)
                self.realtime.lose(TOPICS)
                self.served.replace(fresh)
            self._tag = tag
        else:
            building = Background("succession", LOG, lambda: self._replace(published, tag, building), 0)
            self._building = building
            building.start()

    def build_again(self) -> None:
        """Build what is published anew, though it is the run that serves."""
        self._tag = UNREAD

    def stop(self) -> None:
        """Give up what is being built."""
        self.stopping.set()
        if self._building:
            self._building.stop()

    def _replace(self, published: RunManifest, tag: str | None, building: Background) -> None:
        """Build the generation of a newly published run, once, and swap it in unless another is published meanwhile."""
        building.stop()  # after this step
        fresh: list[Generation] = []

        def step() -> None:
            fresh.append(self._built(published))
            if self._takes_over(fresh[0], tag):
                LOG.info("serves a new run", run=fresh.pop().run)

        self.problem = outcome(step)
        self.waiting = None
        for unwanted in fresh:
            unwanted.retire()
        if self.problem:
            self.stopping.wait(RETRY_SECONDS)

    def _takes_over(self, fresh: Generation, tag: str | None) -> bool:
        """Wait until `fresh` covers what is served, and let it serve; False where it isn't wanted any more."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not self.stopping.is_set() and self.batch.etag(CURRENT) == tag:
            with self.served.changing:
                old = self.served.generation
                if old is None:
                    return False
                fresh.lead_on(self.feed.known, self.feed.fetched)
                in_vain = not self.heartbeat.is_fresh or time.monotonic() > deadline
                if fresh.covers(old) or (fresh.goes_back(old) or fresh.forgets(old)) and in_vain:
                    self._tag = tag
                    self.served.replace(fresh)
                    if self.feed.skip_to(fresh):
                        self.realtime.lose(TOPICS)
                    if fresh.forgets(old):
                        self._forget()
                    return True
            self.waiting = fresh.run
            self.stopping.wait(0.2)
        return False

    def _forget(self) -> None:
        """Let go of every copy of what was served before."""
        self.feed.begin_anew()
        self.realtime.lose(TOPICS)
        for forget in self.forgetting:
            forget()

    def _built(self, published: RunManifest) -> Generation:
        topics: dict[str, TopicState] = {}
        kept: dict[str, TopicState] = {}
        try:
            with self.served.changing:
                self.feed.relist()
                kept = self._kept(published)
            for topic in TOPICS:
                held = kept.pop(topic) if topic in kept else None
                topics[topic] = held or TopicState(topic, published, self.batch, self.settings)
            fresh = Generation(published, topics)
            with self.served.changing:
                self.feed.erased = published.erased
                self.feed.relist()
                fresh.lead_on(self.feed.known, self.feed.fetched)
            return fresh
        except BaseException:
            for state in (*topics.values(), *kept.values()):
                state.close()
            raise

    def _kept(self, published: RunManifest) -> dict[str, TopicState]:
        """The states that are served and stay, as the run has nothing new of their topics."""
        serving = self.served.generation
        states = serving.topics.items() if serving else ()
        return {topic: state for topic, state in states if state.answers(published, self.feed.known) and state.hold()}
