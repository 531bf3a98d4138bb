"""A generation: the states of the topics over one published run, kept open while requests read it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from catalogue.at_rest.deltas import Delta, chain, reaches
from catalogue.at_rest.erasures import age
from catalogue.at_rest.runs import RunManifest
from serving_layer.state.local_copies import Fetched
from serving_layer.state.topic_state import TopicState


@dataclass
class Generation:
    """The topics' states over the published run `current`, and how many requests read them.

    `described` holds what its answers cover, as JSON, by the numbers of the topics' last deltas.
    """

    current: RunManifest
    topics: dict[str, TopicState]
    readers: int = 0
    retired: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    described: dict[tuple[int, ...], bytes] = field(default_factory=dict)

    @property
    def run(self) -> str | None:
        """Id of the published run; None before the first."""
        return self.current.run or None

    def enter(self, reading: bool = False) -> bool:
        """Keep it open; False where it is retired and the caller isn't `reading` it already."""
        with self.lock:
            entered = reading or not self.retired
            self.readers += entered
            return entered

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

    def lead_on(self, deltas: list[Delta], fetched: Fetched) -> None:
        """Apply every delta that leads on from the heads."""
        wanted: dict[int, tuple[Delta, list[TopicState]]] = {}
        for topic, state in self.topics.items():
            for delta in chain(deltas, topic, state.head):
                wanted.setdefault(id(delta), (delta, []))[1].append(state)
        for delta, states in sorted(wanted.values(), key=lambda pair: pair[0].last):
            with fetched(delta) as data:
                for state in states:
                    state.apply(delta, data)

    def apply(self, delta: Delta, data: Path) -> None:
        """Apply a delta in the topics whose heads it leads on from, side by side: DuckDB leaves Python's lock alone."""
        led = [s for topic, s in self.topics.items() if delta.touches(topic) and delta.follows(topic, s.head)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(lambda state: state.apply(delta, data), led))

    def covers(self, other: Generation) -> bool:
        """Whether it answers for every event that `other` answers for."""
        return all(reaches(state.head, other.topics[topic].head) for topic, state in self.topics.items())

    def reaches(self, delta: Delta) -> bool:
        """Whether it answers for every event up to the ends of a delta."""
        return all(reaches(state.head, delta.ends(topic)) for topic, state in self.topics.items())

    def forgets(self, other: Generation) -> bool:
        """Whether somebody was erased since `other`: it must go, even where answers go back for a while."""
        return age(self.current.erased) > age(other.current.erased)

    def goes_back(self, other: Generation) -> bool:
        """Whether its run is an older one than that of `other`, so that somebody chose to go back."""
        return not all(reaches(state.cut, other.topics[topic].cut) for topic, state in self.topics.items())
