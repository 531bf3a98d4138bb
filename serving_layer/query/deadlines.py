"""Ends queries that take too long, so that nobody keeps the others waiting."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from runtime.background import Background
from runtime.logs import Log
from serving_layer.errors import TookTooLong

LOOK_SECONDS = 0.2


class Deadlines:
    """Those of the queries that run; each may take `seconds`."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._running: dict[int, tuple[float, duckdb.DuckDBPyConnection]] = {}
        self._numbers = itertools.count()
        self._looking = Background("query time", Log("serving"), self.look, LOOK_SECONDS)

    def start(self) -> None:
        """Begin to watch."""
        self._looking.start()

    def stop(self) -> None:
        """Watch no more."""
        self._looking.stop()

    def look(self) -> None:
        """Interrupt what is late."""
        now = time.monotonic()
        for late, cursor in list(self._running.values()):
            if now > late:
                cursor.interrupt()

    @contextmanager
    def over(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Run queries of `cursor` under a deadline; TookTooLong where they don't keep it."""
        number = next(self._numbers)
        self._running[number] = time.monotonic() + self.seconds, cursor
        try:
            yield
        except duckdb.InterruptException:
            raise TookTooLong(
                f"a query must take at most {self.seconds:g} s; ask for fewer rows, or by a person or a course"
            ) from None
        finally:
            del self._running[number]
