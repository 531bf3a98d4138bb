"""Documents without a store behind them: Caliper, edX and Canvas send events and want to know that they were taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.intake import Intake, Intakes, Parcel
from ingestion_layer.collecting.journal import Change
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.sources import Source
from ingestion_layer.replay.identity import canonical, digest

DAY_SECONDS = 86_400


class Streams:
    """Takes documents, each once for as many days as the platform knows duplicates."""

    def __init__(self, desk: Desk, intakes: Intakes):
        self._desk, self._intakes = desk, intakes
        self._days = int(desk.settings.duplicate_days)
        self._swept = 0

    async def take(self, source: Source, documents: Sequence[dict[str, Any]], rejected: int = 0) -> int:
        """Until Kafka has what is new of `documents`; how many those are. Beside them `rejected` ones came.

        Refused with 503 where that takes too long, 429 where the source sends too much, 413 where one of them can never
        be kept: then nothing of them is taken.
        """
        accounts = self._desk.accounts
        try:
            self._desk.gate.admit(source, len(documents) + rejected)
            intake = self._intakes.of(source)
            parcel = Parcel([], [])
            waiting = []
            for key, document in self._unknown(intake, documents):
                task = intake.under_way(key)
                if task is not None:
                    waiting.append(task)
                else:
                    parcel.keys.append(key)
                    parcel.documents.append(document)
            parcel.changes = list(self._kept(source, parcel.keys))
            await intake.take(parcel, waiting)
        except Refused as refusal:
            fates = {"rejected": rejected, "deferred": len(documents)}
            if refusal.status == 413:
                fates = {"rejected": rejected + len(documents)}
            accounts.settle(source, **fates)
            raise
        new = len(parcel.documents)
        fates = {"accepted": new - parcel.erased, "erased": parcel.erased, "duplicate": len(documents) - new}
        accounts.settle(source, **fates, rejected=rejected)
        return new

    def _unknown(self, intake: Intake, documents: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The documents that weren't taken before, each once, with what they are known by."""
        seen = set()
        query = "SELECT 1 FROM taken WHERE source = ? AND digest = ?"
        for document in documents:
            key = digest(canonical(document))
            if key not in seen and not self._intakes.journal.rows(query, (intake.source.name, key)):
                seen.add(key)
                yield key.hex(), document

    def _kept(self, source: Source, keys: Sequence[str]) -> Iterator[Change]:
        today = int(time.time()) // DAY_SECONDS
        for key in keys:
            yield "INSERT OR IGNORE INTO taken VALUES (?, ?, ?)", (source.name, bytes.fromhex(key), today)
        if keys and self._swept != today:
            self._swept = today
            yield "DELETE FROM taken WHERE day < ?", (today - self._days - 1,)
