"""Following who was erased: what comes of them is acknowledged and not kept, and what was kept goes.

Their events go to Kafka as those of everyone: whoever lands or counts them knows (`docs/adr/0029-who-is-erased.md`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from catalogue.at_rest.collectors import ALIVE_SECONDS, CollectorSign
from catalogue.at_rest.erasures import NOBODY, ErasureError, Watched
from ingestion_layer.collecting.journal import Journal
from ingestion_layer.collecting.purge import Numbers, purge, purged
from ingestion_layer.collecting.refusals import come_again
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.timestamps import now

LOG = Log("collector")
LOOK_SECONDS = 5.0


class Erasing:
    """Who is erased, as far as this collector knows: `gone`.

    `settle` is called where that has changed: until nothing is on its way that was taken before, and memory has let go
    of them; it says which numbers names had.
    """

    def __init__(self, settings: Settings, journal: Journal, settle: Callable[[], Awaitable[Numbers]]):
        self._journal, self._settle = journal, settle
        self._watched = Watched(open_store(settings.master_dataset, settings), settings.erasure_key)
        self._signs = open_store(settings.collector_sources, settings)
        self._folder = str(Path(settings.collector_data).resolve())
        self.gone = NOBODY
        self._purged = purged(journal)
        self._blocked: str | None = None
        self._problem: str | None = None
        self._told = 0.0
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no longer."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following

    def check(self) -> None:
        """Refused with 503 where people were erased and the key by which they are known isn't set."""
        if self._blocked:
            raise come_again("erasures", self._blocked)

    async def _follow(self) -> None:
        while True:
            try:
                await self._look()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # a store that is away, a disk that is full: it goes on when they are back
                self._blocked = str(error) if isinstance(error, ErasureError) else self._blocked
                if (told := f"{type(error).__name__}: {error}") != self._problem:
                    LOG.warning("who was erased can't be followed", error=told)
                self._problem = told
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        self.gone = await asyncio.to_thread(self._watched.now)
        self._blocked = None
        changed = self.gone.version != self._purged
        if changed:
            gone = self.gone
            await purge(self._journal, gone, await self._settle())
            self._purged = gone.version
            LOG.info("nobody who was erased is kept", version=gone.version)
        if changed or time.monotonic() - self._told > ALIVE_SECONDS or not self._told:
            sign = CollectorSign(at=now(), host=socket.gethostname(), folder=self._folder, erased=self._purged)
            await asyncio.to_thread(self._signs.write, sign.path, sign.encoded())
            self._told = time.monotonic()
        self._problem = None
