"""The generation that is served, and the door through which requests read it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving_layer.errors import NotServing
from serving_layer.state.generation import Generation


class Served:
    """The generation that serves now; None before the first. Who changes it or adds a delta to it holds `changing`.

    Each of `told` is called after every change, by the thread that made it.
    """

    def __init__(self) -> None:
        self.generation: Generation | None = None
        self.changing = threading.RLock()
        self.told: list[Callable[[], None]] = []

    @contextmanager
    def reading(self) -> Iterator[Generation]:
        """The generation that serves now, kept open meanwhile. NotServing before the first one."""
        while True:
            generation = self.generation
            if generation is None:
                raise NotServing("the serving layer is starting")
            if generation.enter():
                break
        try:
            yield generation
        finally:
            generation.leave()

    def replace(self, fresh: Generation | None) -> None:
        """Serve `fresh` from now on; requests that began on the one before end on it."""
        with self.changing:
            old, self.generation = self.generation, fresh
        self.tell()
        if old:
            old.retire()

    def tell(self) -> None:
        """Say that what is served has changed."""
        for listener in tuple(self.told):
            listener()
