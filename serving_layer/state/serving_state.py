"""Keeps what is served up to date with the store.

Whatever goes wrong with an object of the store leaves the last good state serving and is told by `problem`.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

from catalogue.at_rest.deltas import Delta
from catalogue.events import TOPICS
from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.errors import NotServing
from serving_layer.state.delta_feed import DeltaFeed
from serving_layer.state.generation import Generation
from serving_layer.state.realtime_state import RealtimeState
from serving_layer.state.served import Served
from serving_layer.state.speed_heartbeat import SpeedHeartbeat
from serving_layer.state.succession import RETRY_SECONDS, Succession, outcome

LOG = Log("serving")
LOOK_SECONDS = 0.5
RELIST_SECONDS = 15.0


class ServingState:
    """Follows published runs and deltas in a thread of its own. `problem` is None or what the last look ran into."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.batch = open_store(settings.batch_views, settings)
        speed = open_store(settings.speed_views, settings)
        self.served, self.feed, self.heartbeat = Served(), DeltaFeed(speed), SpeedHeartbeat(speed)
        self.realtime = RealtimeState()
        self.succession = Succession(settings, self.batch, self.served, self.feed, self.heartbeat, self.realtime)
        self.problem: str | None = "starting"
        self.deltas_applied = 0
        self.apply_seconds = 0.0
        self._listed, self._looked = 0.0, 0.0
        self._unseen: str | None = None
        self._following = Background("serving-state", LOG, self._follow, settings.poll_seconds)

    @property
    def generation(self) -> Generation | None:
        """What is served now; None before the first."""
        return self.served.generation

    @property
    def is_ready(self) -> bool:
        """Whether the newest objects are served."""
        return self.problem is None and self._following.runs

    def reading(self) -> AbstractContextManager[Generation]:
        """The generation that serves now, kept open meanwhile. NotServing before the first one."""
        return self.served.reading()

    def start(self) -> None:
        """Follow the bucket from now on."""
        self._following.start()

    def stop(self) -> None:
        """Stop following, and drop the state."""
        self._following.stop()
        self.succession.stop()
        self.served.replace(None)

    def _follow(self) -> float | None:
        if time.monotonic() > self._looked + (RETRY_SECONDS if self._unseen else LOOK_SECONDS):
            self._looked = time.monotonic()
            self._unseen = outcome(self.look)
        damaged = outcome(self.follow_deltas) if self.served.generation else None
        self._tell(self._unseen or self.succession.problem or damaged or self.feed.gap)
        return RETRY_SECONDS if damaged else None

    def look(self) -> None:
        """Look at what the speed layer says of itself, and at what is published."""
        self.heartbeat.look()
        self.succession.look()

    def follow_deltas(self) -> None:
        """Take every delta that is new."""
        while delta := self.feed.next():
            self._take(delta)
        if time.monotonic() > self._listed + RELIST_SECONDS:
            self._listed = time.monotonic()
            self.catch_up()
        self.find_windows()

    def _take(self, delta: Delta) -> None:
        started = time.monotonic()
        with self.served.changing, self.feed.fetched(delta) as data:
            serving = self._serving()
            if delta.erased == serving.current.erased:
                serving.apply(delta, data)
                self.realtime.apply(delta, data)
            self.feed.take(delta)
        self.served.tell()
        self.deltas_applied += 1
        self.apply_seconds += time.monotonic() - started

    def catch_up(self) -> None:
        """Where deltas were merged away before they were read here, go on with what they were merged into."""
        with self.served.changing:
            self.feed.relist()
            merged = self.feed.merged_away()
            if merged is None:
                return
            self._serving().lead_on(self.feed.known, self.feed.fetched)
            if merged.number <= self.feed.taken:  # it leads on from an earlier state than this one
                self.succession.build_again()
            self.realtime.lose(TOPICS)
            self.feed.taken = merged.last
        self.served.tell()

    def find_windows(self) -> None:
        """Make the windows anew where deltas were missed or others have overtaken them."""
        if self.realtime.lost:
            with self.served.changing:
                self.realtime.retrace(self.feed.known, self.feed.fetched)

    def _serving(self) -> Generation:
        if self.served.generation is None:
            raise NotServing("the serving layer is starting")
        return self.served.generation

    def _tell(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            serving = self.served.generation
            LOG.warning("the last good state is served", run=serving and serving.run, error=problem)
        self.problem = problem
