"""Who follows what is served, and what changed since they were last told.

A follower is told of the newest state alone: however slowly it reads, it costs one waiting event and no queue.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from catalogue.views import VIEWS
from serving_layer.errors import NotServing, TooMany
from serving_layer.query.coverage import Coverage
from serving_layer.query.formats import json_bytes
from serving_layer.state.generation import Generation
from serving_layer.state.serving_state import ServingState

# In all, and of one who asks, where it is told who asks.
MOST_FOLLOWERS, MOST_OF_ONE = 500, 20
BEAT_SECONDS = 5.0
# A stream ends after so long: who asks again is asked again who they are.
LONGEST_SECONDS = 300.0
RETRY_MS = 1000


class Changes:
    """Streams of what changes. They end with `stop`, so that a server that is stopped waits for none of them."""

    def __init__(self, state: ServingState, coverage: Coverage):
        self.state, self.coverage = state, coverage
        self._waiting: set[asyncio.Event] = set()
        self._following: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to listen to the state; called in the loop that answers requests."""
        self._loop, self._stopped = asyncio.get_running_loop(), False
        self.state.served.told.append(self.tell)

    def stop(self) -> None:
        """End every stream."""
        self._stopped = True
        if self.tell in self.state.served.told:
            self.state.served.told.remove(self.tell)
        self._wake()

    def check(self, who: str = "") -> None:
        """NotServing where there is no room for one more follower, or nothing to follow yet; TooMany of one."""
        if who and self._following[who] >= MOST_OF_ONE:
            raise TooMany(int(BEAT_SECONDS), f"streams must be at most {MOST_OF_ONE} for one; end another first")
        if len(self._waiting) >= MOST_FOLLOWERS:
            raise NotServing(f"followers must be at most {MOST_FOLLOWERS}; ask /freshness instead")
        with self.state.reading():
            pass

    async def once(self) -> AsyncIterator[bytes]:
        """What is served now, as one event."""
        yield self._event(_Seen())

    async def follow(self, who: str = "", advice: Callable[[], str] | None = None) -> AsyncGenerator[bytes, None]:
        """What is served now, then an event for every change, and one at least every BEAT_SECONDS.

        Another event says that advisers have written, when the mark that `advice` tells is another one.
        """
        loop = asyncio.get_running_loop()
        ends, seen, mark = loop.time() + LONGEST_SECONDS, _Seen(), ""
        yield f"retry: {RETRY_MS}\n\n".encode()
        with self._woken(who) as event:
            while not self._stopped and loop.time() < ends:
                event.clear()
                yield self._event(seen)
                if advice and (now := advice()) != mark:
                    mark = now
                    yield b"event: advice\ndata: " + json_bytes({"mark": mark}) + b"\n\n"
                try:
                    await asyncio.wait_for(event.wait(), BEAT_SECONDS)
                except TimeoutError:
                    continue

    @contextmanager
    def _woken(self, who: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting.add(event)
        self._following[who] += 1
        try:
            yield event
        finally:
            self._waiting.discard(event)
            self._following[who] -= 1
            if not self._following[who]:
                del self._following[who]

    def tell(self) -> None:
        """Wake the followers, from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    def _event(self, seen: _Seen) -> bytes:
        try:
            with self.state.reading() as generation:
                told = self._told(generation, seen)
        except NotServing:
            return b": nothing is served\n\n"
        return b"event: covers\ndata: " + json_bytes(told) + b"\n\n"

    def _told(self, generation: Generation, seen: _Seen) -> dict[str, Any]:
        # Heads first: what a delta changes meanwhile is told once more, never missed.
        heads = {topic: dict(state.head) for topic, state in generation.topics.items()}
        watermark, lag = self.coverage.over_all(generation)
        said = self.state.heartbeat.said
        return {
            "run": generation.run,
            "published_at": generation.current.published_at or None,
            "head": heads,
            "watermark": watermark,
            "lag_seconds": lag,
            "speed_layer": said and said.at,
            "changed": seen.views(generation),
        }


class _Seen:
    """What one follower was told of: a generation, and the last delta of each of its topics."""

    def __init__(self) -> None:
        self.generation: Generation | None = None
        self.applied: dict[str, int] = {}

    def views(self, generation: Generation) -> list[str] | None:
        """The views that have changed since it was last asked; None where any may have."""
        before, fresh = self.applied, generation is not self.generation
        self.generation = generation
        self.applied = {topic: state.applied for topic, state in generation.topics.items()}
        if fresh:
            return None
        return [
            name
            for name, view in VIEWS.items()
            if generation.topics[view.topic].changed.get(name, 0) > before[view.topic]
        ]
