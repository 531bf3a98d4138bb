"""What ingestion has committed: one manifest per micro-batch, the only truth about what is landed.

An ingester takes over by a commit of its own without files, before it writes any. From then on an earlier one that
still lives can't commit, as its next number is taken. The number is a part of every file's name, so that neither can
remove or overwrite a file of the other's, and files that are orphaned, written but never committed, are told by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from catalogue.at_rest.ledger import Ledger, add_ledger
from catalogue.at_rest.raw_files import (
    KAFKA,
    Commit,
    CommittedFile,
    Offsets,
    Ranges,
    RawName,
    newest_commit,
    topic_folder,
)
from runtime.errors import PlatformError
from runtime.storage.store import Store
from runtime.timestamps import now

# Of so many of the newest takeovers files are looked for: an ingester that many before is surely gone.
TAKEOVERS = 100


class IngestError(PlatformError):
    """Ingestion can't go on; the message is one line for people."""


class TakenOver(IngestError):
    """Another ingester has taken over since."""


@dataclass
class Commits:
    """The newest commit: its number, the exclusive end by topic and partition, and the ledger since the beginning.

    `takeovers` are the numbers of the newest commits by which an ingester took over. `origin` and `files_read` are
    those of a commit manifest.
    """

    number: int = 0
    head: Offsets = field(default_factory=dict)
    total: Ledger = field(default_factory=dict)
    takeovers: list[int] = field(default_factory=list)
    origin: str = KAFKA
    files_read: dict[str, int] = field(default_factory=dict)

    @classmethod
    def newest(cls, raw: Store, origin: str = KAFKA) -> Commits:
        """The state after the newest manifest in `raw`; empty where there is none.

        Raises StorageError for a damaged manifest, IngestError where the folder's offsets are not of this origin.
        """
        newest = newest_commit(raw)
        if newest is None:
            return cls(origin=origin)
        if newest.origin != origin:
            raise IngestError(f"{raw.uri}: must hold events landed from {origin}; got events from {newest.origin}")
        return cls(newest.commit, newest.head, newest.total, newest.takeovers, origin, newest.files_read)

    def take_over(self, raw: Store) -> None:
        """Keep every other ingester from committing. Raises TakenOver where another was faster."""
        self._write(raw, {}, [], {}, [*self.takeovers, self.number + 1][-TAKEOVERS:])

    def add(self, raw: Store, ranges: Ranges, files: list[CommittedFile], ledger: Ledger) -> None:
        """Commit a micro-batch. Raises IngestError where its ledger is open, TakenOver where another took over."""
        for topic, partitions in ledger.items():
            for partition, entry in partitions.items():
                if entry["read"] != entry["landed"] + entry["unparseable"]:
                    raise IngestError(f"{topic} partition {partition}: ledger must close; got {entry}")
        self._write(raw, ranges, files, ledger, self.takeovers)

    def _write(
        self, raw: Store, ranges: Ranges, files: list[CommittedFile], ledger: Ledger, takeovers: list[int]
    ) -> None:
        head = {topic: dict(partitions) for topic, partitions in self.head.items()}
        for topic, bounds in ranges.items():
            head.setdefault(topic, {}).update({partition: end for partition, (_, end) in bounds.items()})
        total: Ledger = {}
        add_ledger(total, self.total)
        add_ledger(total, ledger)
        made = Commit(
            commit=self.number + 1,
            committed_at=now(),
            ranges=ranges,
            head=head,
            files=files,
            ledger=ledger,
            total=total,
            takeovers=takeovers,
            origin=self.origin,
            files_read=self.files_read,
        )
        try:
            raw.create(made.path, made.encoded())
        except FileExistsError:
            raise TakenOver(f"commit {made.commit}: another ingester made it; only one may run") from None
        self.number, self.head, self.total, self.takeovers = made.commit, head, total, takeovers


def remove_orphans(store: Store, commits: Commits) -> int:
    """Delete the files that no commit will ever name, after `commits` took over; how many there were."""
    found = [e.path for e in store.list(topic_folder()) if _is_orphaned(e.path, commits)]
    store.delete(found)
    return len(found)


def _is_orphaned(path: str, commits: Commits) -> bool:
    name = RawName.matched(path)
    if name is None or name.commit is None or name.path != path:
        return False
    return name.commit > commits.number or name.commit in commits.takeovers
