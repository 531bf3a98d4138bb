"""What ingestion has committed: one manifest per micro-batch, the only truth about what is landed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from catalogue.ledger import Ledger, add_ledger
from catalogue.moments import now
from catalogue.storage import Store

FOLDER = "_commits/"
OUR_FILE = re.compile(r"topic=(?P<topic>[^/]+)/date=[^/]+/part-(?P<partition>\d{5})-(?P<first>\d{20})-\d{20}\.json\.gz")
Offsets = dict[str, dict[str, int]]


class IngestError(Exception):
    """Ingestion can't go on; the message is one line for people."""


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
    """The newest commit: its number, the exclusive end by topic and partition, and the ledger since the beginning."""

    number: int = 0
    head: Offsets = field(default_factory=dict)
    total: Ledger = field(default_factory=dict)

    @classmethod
    def newest(cls, raw: Store) -> Commits:
        """The state after the newest manifest in `raw`; empty where there is none."""
        entries = raw.list(FOLDER)
        if not entries:
            return cls()
        manifest = json.loads(raw.read(entries[-1].path))
        return cls(manifest["commit"], manifest["head"], manifest["total"])

    def add(self, raw: Store, ranges: dict[str, dict[str, list[int]]], files: list[Landed], ledger: Ledger) -> None:
        """Commit a micro-batch. Raises IngestError where its ledger is open or another ingester was faster."""
        for topic, partitions in ledger.items():
            for partition, entry in partitions.items():
                if entry["read"] != entry["landed"] + entry["unparseable"]:
                    raise IngestError(f"{topic} partition {partition}: ledger must close; got {entry}")
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
        }
        path = f"{FOLDER}{self.number + 1:020}.json"
        try:
            raw.create(path, json.dumps(manifest).encode())
        except FileExistsError:
            raise IngestError(f"commit {self.number + 1}: another ingester made it; only one may run") from None
        self.number, self.head, self.total = self.number + 1, head, total


def remove_leftovers(store: Store, head: Offsets) -> int:
    """Delete the files of ours at or beyond `head`, which a killed run left without a manifest; how many there were."""
    found = [e.path for e in store.list("topic=") if _beyond(e.path, head)]
    store.delete(found)
    return len(found)


def _beyond(path: str, head: Offsets) -> bool:
    ours = OUR_FILE.fullmatch(path)
    return ours is not None and int(ours["first"]) >= head.get(ours["topic"], {}).get(str(int(ours["partition"])), 0)
