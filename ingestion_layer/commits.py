"""What ingestion has committed: one manifest per micro-batch, the only truth about what is landed.

An ingester takes over by a commit of its own without files, before it writes any. From then on an earlier one that still
lives can't commit, as its next number is taken. The number is a part of every file's name, so that neither can remove or
overwrite a file of the other's, and what was written in vain is told by its number.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from catalogue.at_rest.ledger import Ledger, add_ledger
from runtime.storage.store import Store
from runtime.timestamps import now

FOLDER = "_commits/"
OUR_FILE = re.compile(r"topic=[^/]+/date=[^/]+/part-\d{5}-\d{20}-\d{20}-(?P<commit>\d{8})\.json\.gz")
# Of so many of the newest takeovers files are looked for: an ingester that many before is surely gone.
TAKEOVERS = 100
Offsets = dict[str, dict[str, int]]


class IngestError(Exception):
    """Ingestion can't go on; the message is one line for people."""


class TakenOver(IngestError):
    """Another ingester has taken over since."""


@dataclass(frozen=True)
class Landed:
    """A raw file: where it is, and which offsets (inclusive) it holds."""

    path: str
    topic: str
    partition: int
    first: int
    last: int
    events: int
    bytes: int


@dataclass
class Commits:
    """The newest commit: its number, the exclusive end by topic and partition, and the ledger since the beginning.

    `takeovers` are the numbers of the newest commits by which an ingester took over.
    """

    number: int = 0
    head: Offsets = field(default_factory=dict)
    total: Ledger = field(default_factory=dict)
    takeovers: list[int] = field(default_factory=list)

    @classmethod
    def newest(cls, raw: Store) -> Commits:
        """The state after the newest manifest in `raw`; empty where there is none."""
        entries = raw.list(FOLDER)
        if not entries:
            return cls()
        manifest = json.loads(raw.read(entries[-1].path))
        return cls(manifest["commit"], manifest["head"], manifest["total"], manifest["takeovers"])

    def take_over(self, raw: Store) -> None:
        """Keep every other ingester from committing. Raises TakenOver where another was faster."""
        self._write(raw, {}, [], {}, [*self.takeovers, self.number + 1][-TAKEOVERS:])

    def add(self, raw: Store, ranges: dict[str, dict[str, list[int]]], files: list[Landed], ledger: Ledger) -> None:
        """Commit a micro-batch. Raises IngestError where its ledger is open, TakenOver where nobody may see it any more."""
        for topic, partitions in ledger.items():
            for partition, entry in partitions.items():
                if entry["read"] != entry["landed"] + entry["unparseable"]:
                    raise IngestError(f"{topic} partition {partition}: ledger must close; got {entry}")
        self._write(raw, ranges, files, ledger, self.takeovers)

    def _write(
        self,
        raw: Store,
        ranges: dict[str, dict[str, list[int]]],
        files: list[Landed],
        ledger: Ledger,
        takeovers: list[int],
    ) -> None:
        head = {topic: dict(partitions) for topic, partitions in self.head.items()}
        for topic, bounds in ranges.items():
            head.setdefault(topic, {}).update({partition: end for partition, (_, end) in bounds.items()})
        total: Ledger = {}
        add_ledger(total, self.total)
        add_ledger(total, ledger)
        manifest = {
            "commit": self.number + 1,
            "committed_at": now(),
            "ranges": ranges,
            "head": head,
            "files": [vars(f) for f in files],
            "ledger": ledger,
            "total": total,
            "takeovers": takeovers,
        }
        path = f"{FOLDER}{self.number + 1:020}.json"
        try:
            raw.create(path, json.dumps(manifest).encode())
        except FileExistsError:
            raise TakenOver(f"commit {self.number + 1}: another ingester made it; only one may run") from None
        self.number, self.head, self.total, self.takeovers = self.number + 1, head, total, takeovers


def remove_leftovers(store: Store, commits: Commits) -> int:
    """Delete the files that no commit will ever name, after `commits` took over; how many there were."""
    found = [e.path for e in store.list("topic=") if _in_vain(e.path, commits)]
    store.delete(found)
    return len(found)


def _in_vain(path: str, commits: Commits) -> bool:
    ours = OUR_FILE.fullmatch(path)
    return ours is not None and (int(ours["commit"]) > commits.number or int(ours["commit"]) in commits.takeovers)
