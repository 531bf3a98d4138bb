"""What the collector keeps on its own disk: one SQLite file, written by one thread, many changes in one commit.

Nothing of it is acknowledged before it is on disk, and of events nothing is in it that Kafka hasn't got.
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from ingestion_layer.collecting.tables import TABLES
from runtime.errors import PlatformError

# SQL with its values, or what does more than that to the file.
Change = tuple[str, tuple[Any, ...]] | Callable[[sqlite3.Connection], None]


class JournalError(PlatformError):
    """The folder of the collector's data can't be used."""


class Journal:
    """The file in `folder`, which one process at a time may have; JournalError where it can't be had."""

    def __init__(self, folder: str):
        place = Path(folder)
        try:
            place.mkdir(parents=True, exist_ok=True)
            self._lock: IO[str] = open(place / "collector.lock", "w")  # noqa: SIM115
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._writing = self._connected(place)
            for table in TABLES:
                self._writing.execute(table)
            if (
                self._writing.execute("PRAGMA user_version").fetchone()[0] < 1
            ):  # from before what is deleted left no bytes
                self._writing.execute("VACUUM")
                self._writing.execute("PRAGMA user_version = 1")
            self._reading = self._connected(place)
        except BlockingIOError as error:
            raise JournalError(f"collector data {folder}: must be one collector's; another one runs there") from error
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"collector data {folder}: must be a folder that can be written; got {error}") from error
        self._changes: list[Change] = []
        self._emptying = False
        self._told: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    @staticmethod
    def _connected(place: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(place / "collector.sqlite", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted leaves no bytes
        return connection

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What is committed."""
        return self._reading.execute(query, values).fetchall()

    async def commit(self, changes: Iterable[Change]) -> None:
        """Until the changes are on disk; those of others that came meanwhile go with them."""
        added = list(changes)
        if not added:
            return
        self._changes += added
        if self._told is None:
            self._told = asyncio.get_running_loop().create_future()
        told = self._told
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(told)

    async def _write(self) -> None:
        while self._changes and self._told is not None:
            changes, told = self._changes, self._told
            self._changes, self._told = [], None
            try:
                await asyncio.to_thread(self._transaction, changes)
            except Exception as error:  # whoever waits for it is told
                told.set_exception(error)
                told.exception()
            else:
                told.set_result(None)

    def _transaction(self, changes: list[Change]) -> None:
        self._writing.execute("BEGIN IMMEDIATE")
        try:
            for change in changes:
                if callable(change):
                    change(self._writing)
                else:
                    self._writing.execute(*change)
        except BaseException:
            self._writing.execute("ROLLBACK")
            raise
        self._writing.execute("COMMIT")
        if self._emptying:
            self._emptying = bool(self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])

    async def empty_log(self) -> None:
        """Until what was replaced isn't in the file's log of changes either."""
        self._emptying = True
        while self._emptying:
            await self.commit([("SELECT 1", ())])

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writer is not None:
            await asyncio.wait({self._writer})
        self._writing.close()
        self._reading.close()
        self._lock.close()
