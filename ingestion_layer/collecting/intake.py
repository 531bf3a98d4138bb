"""Documents of a standard on their way: mapped in the order in which they come, to Kafka, and then to the journal.

A document leaves no trace on disk before Kafka has its events, and none is answered for before both have it. So a
process that dies in between knows nothing of it, the sender sends it again, and it becomes the same events, with the
same identities. What a process that lives was asked for it goes on with, whether or not the sender waits.
"""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from kafka.errors import KafkaError

from catalogue.events.unmapped import UNMAPPED
from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.erasing import Erasing
from ingestion_layer.collecting.journal import Change, Journal
from ingestion_layer.collecting.people import relieved
from ingestion_layer.collecting.purge import Numbers
from ingestion_layer.collecting.refusals import Refused, come_again
from ingestion_layer.collecting.sources import Source
from ingestion_layer.replay.live import Live
from ingestion_layer.replay.row import Record, Unmapped
from runtime.logs import Log

LOG = Log("collector")
# So many mapped documents are kept before the memory of all of them is.
MEMORY_AFTER = 20_000
AGAIN_SECONDS = 1.0
# What is written around a document that no mapping knows, and added to one that becomes an event, at most.
WRAPPING_BYTES = 2_048


@dataclass
class Parcel:
    """Documents that are mapped and written together, and what else is written with them."""

    documents: list[dict[str, Any]]
    keys: list[str]
    changes: list[Change] = field(default_factory=list)
    # What of the documents is kept until the memory is, and how many go nowhere, as they are of people who were erased.
    kept: list[dict[str, Any]] = field(default_factory=list)
    erased: int = 0


class Intake:
    """What comes from one source by one standard."""

    def __init__(self, desk: Desk, journal: Journal, source: Source, erasing: Erasing):
        self._desk, self._journal, self.source, self._erasing = desk, journal, source, erasing
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._last: asyncio.Task[None] | None = None
        # What is under way, the oldest first, and since when.
        self._running: dict[asyncio.Task[None], float] = {}
        self._since_memory = 0
        self._live = self._remembered()

    def declared(self, source: Source) -> None:
        """From now on the source is what it is declared as now."""
        self.source = source
        self._live.options.course, self._live.options.role = source.course, source.role

    def under_way(self, key: str) -> asyncio.Task[None] | None:
        """What still has to be waited for of a document that came before."""
        return self._under_way.get(key)

    def key(self, document: dict[str, Any], ordinal: int) -> str | None:
        """The identity that a document without one has from files too; None where it can't be mapped."""
        return self._live.key(document, ordinal)

    async def take(self, parcel: Parcel, waiting: Iterable[asyncio.Task[None]] = ()) -> None:
        """Until a parcel is in Kafka and in the journal, and all that is `waiting` too; Refused with 503 where that
        takes too long, or Kafka is away. It goes on then: its next try waits for it, or finds it done. Refused with 413
        where a topic would not take a document whole, as it must where no mapping knows it.
        """
        self._erasing.check()
        wanted = set(waiting)
        if parcel.documents:
            wanted.add(self._begin(parcel))
        if not wanted:
            return
        patience = self._desk.settings.collector_patience_seconds
        done, late = await asyncio.wait(wanted, timeout=patience)
        for task in done:
            if not task.cancelled() and isinstance(refusal := task.exception(), Refused):
                raise refusal
        if late or any(task.cancelled() or task.exception() is not None for task in wanted):
            raise come_again("Kafka", f"must take events within {patience:g} s; come again with the same ones")

    def _begin(self, parcel: Parcel) -> asyncio.Task[None]:
        oldest = next(iter(self._running.values()), None)
        patience = self._desk.settings.collector_patience_seconds
        if self._desk.kafka.away or (oldest is not None and time.monotonic() - oldest > patience):
            raise come_again("Kafka", "must take events; it takes none, come again")
        most = self._desk.kafka.limits.least - WRAPPING_BYTES
        sizes = [len(orjson.dumps(document)) for document in parcel.documents]
        if max(sizes) > most:
            raise Refused(413, "body", f"must have documents of at most {most} bytes")
        size = sum(sizes)
        self._desk.budget.take(size)
        records, unmapped = self._mapped(parcel)
        task = asyncio.create_task(self._carry(parcel, records, unmapped, self._last))
        self._last = task
        self._running[task] = time.monotonic()
        for key in parcel.keys:
            self._under_way[key] = task
        task.add_done_callback(lambda done: self._ended(done, parcel.keys, size))
        return task

    def _ended(self, task: asyncio.Task[None], keys: Sequence[str], size: int) -> None:
        del self._running[task]
        self._desk.budget.give(size)
        for key in keys:
            if self._under_way.get(key) is task:
                del self._under_way[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("documents were taken but not kept", source=self.source.name, error=error)

    async def _carry(
        self, parcel: Parcel, records: list[Record], unmapped: int, before: asyncio.Task[None] | None
    ) -> None:
        while True:
            try:
                await self._desk.kafka.offer(records)
                break
            except (KafkaError, OSError, Refused) as error:
                if isinstance(error, Refused) and error.status == 413:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)  # what was taken from the sender goes there, sooner or later
        if before is not None and not before.done():  # the journal has the order in which documents were mapped
            await asyncio.wait({before})
        name, standard = self.source.name, self.source.standard
        kept = [
            ("INSERT INTO mapped (source, standard, document) VALUES (?, ?, ?)", (name, standard, orjson.dumps(one)))
            for one in parcel.kept
        ]
        await self._journal.commit([*kept, *parcel.changes])
        self._desk.accounts.unmapped(self.source, unmapped)
        self._since_memory += len(kept)
        if self._since_memory >= MEMORY_AFTER and len(self._running) == 1:
            await self.remember()

    def _mapped(self, parcel: Parcel) -> tuple[list[Record], int]:
        """The events of documents, and how many have none and go where they are kept whole."""
        records: list[Record] = []
        unmapped = 0
        for document in parcel.documents:
            kept = relieved(self.source.standard, document, self._erasing.gone, self._live.memory.numbers)
            if kept is not None:
                parcel.kept.append(kept)
            try:
                records += self._live.events(document)
            except Unmapped as reason:
                if kept is None:
                    parcel.erased += 1
                    continue
                records.append(unmapped_record(self.source, kept, str(reason)))
                unmapped += 1
        return records, unmapped

    def numbers(self) -> Mapping[str, str]:
        """Which numbers names are known to have."""
        return dict(self._live.memory.numbers)

    def forget_erased(self) -> None:
        """Let memory know nothing of people who were erased."""
        gone = self._erasing.gone
        if gone.people:
            self._live.memory.forget(lambda one: bool(gone.among((one,))))

    async def settled(self) -> None:
        """Until everything that was taken before is in Kafka and in the journal, however long that takes."""
        if self._last is not None and not self._last.done():
            await asyncio.wait({self._last})

    async def remember(self) -> None:
        """Keep the memory of mapping, so that a start needs none of the documents that made it."""
        self._since_memory = 0
        self.forget_erased()
        name, standard = self.source.name, self.source.standard
        memory = pickle.dumps(self._live.memory)
        await self._journal.commit(
            [
                ("INSERT OR REPLACE INTO memories VALUES (?, ?, ?)", (name, standard, memory)),
                ("DELETE FROM mapped WHERE source = ? AND standard = ?", (name, standard)),
            ]
        )

    async def close(self) -> None:
        """Wait for what is under way, and keep the memory."""
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()), timeout=self._desk.settings.collector_patience_seconds)
        if not self._running and self._since_memory:
            await self.remember()

    def _remembered(self) -> Live:
        """The mapping as it was when the journal was last written."""
        live = Live(self.source.standard, self.source.options())
        mine = (self.source.name, self.source.standard)
        for (memory,) in self._journal.rows("SELECT memory FROM memories WHERE source = ? AND standard = ?", mine):
            live.remember(pickle.loads(memory))
        query = "SELECT document FROM mapped WHERE source = ? AND standard = ? ORDER BY place"
        for (document,) in self._journal.rows(query, mine):
            self._since_memory += 1
            try:
                live.events(orjson.loads(document))
            except Unmapped:
                continue
        return live


def unmapped_record(source: Source, document: Any, reason: str) -> Record:
    """A document that no mapping knows, as it is kept."""
    told = {
        "standard": source.standard,
        "source": source.name,
        "reason": reason,
        "received_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "document": document,
    }
    return UNMAPPED.name, source.name.encode(), orjson.dumps(told)


class Intakes:
    """The intake of every source, made when it first sends. One process has the journal."""

    def __init__(self, desk: Desk):
        self._desk = desk
        self.journal = Journal(desk.settings.collector_data)
        self._of: dict[tuple[str, str], Intake] = {}
        self.erasing = Erasing(desk.settings, self.journal, self._settled)

    async def _settled(self) -> Numbers:
        """Until what was taken before has arrived and memory lets go of the erased; which numbers names had."""
        intakes = dict(self._of)
        for intake in intakes.values():
            await intake.settled()
        numbers = {name: intake.numbers() for name, intake in intakes.items()}
        for intake in intakes.values():
            intake.forget_erased()
        return numbers

    def of(self, source: Source) -> Intake:
        """A source's; where it was declared anew, with what it says now."""
        name = (source.name, source.standard)
        intake = self._of.get(name)
        if intake is None:
            intake = self._of[name] = Intake(self._desk, self.journal, source, self.erasing)
        elif intake.source != source:
            intake.declared(source)
        return intake

    async def close(self) -> None:
        """Wait for what is under way, and close the journal."""
        await self.erasing.stop()
        for intake in self._of.values():
            await intake.close()
        await self.journal.close()
