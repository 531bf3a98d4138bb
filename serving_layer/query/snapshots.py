"""Open transactions that later pages of a query read, so that they agree with the first."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

import duckdb

from serving_layer.identity.sight import Sight
from serving_layer.state.generation import Generation

SNAPSHOT_SECONDS = 60.0
MOST_SNAPSHOTS = 64


@dataclass
class Snapshot:
    """A transaction in which `relation` has what is seen of `view` as of delta `number`; `total` rows suit a query."""

    cursor: duckdb.DuckDBPyConnection
    generation: Generation
    view: str
    sight: Sight
    relation: str
    number: int
    total: int
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False


class Snapshots:
    """Those of the queries that are being paged, by the token in their cursors."""

    def __init__(self) -> None:
        self.kept: OrderedDict[str, Snapshot] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, token: str, view: str, sight: Sight) -> Snapshot | None:
        """The snapshot of that token, kept on; None where it is none of this view and sight, or is gone."""
        with self.lock:
            snapshot = self.kept.get(token)
            if snapshot is None or (snapshot.view, snapshot.sight) != (view, sight):
                return None
            snapshot.until = time.monotonic() + SNAPSHOT_SECONDS
            return snapshot

    def keep(self, snapshot: Snapshot) -> str:
        """Keep it until nobody has asked for a page for a while; its token."""
        token = uuid.uuid4().hex[:16]
        snapshot.until = time.monotonic() + SNAPSHOT_SECONDS
        snapshot.generation.enter(reading=True)
        with self.lock:
            self.kept[token] = snapshot
        self.drop_old()
        return token

    def drop_old(self, everything: bool = False) -> None:
        """Close the snapshots that nobody asked for lately."""
        with self.lock:
            now = time.monotonic()
            old = [t for t, s in self.kept.items() if everything or s.until < now]
            old += [t for t in list(self.kept)[: max(0, len(self.kept) - MOST_SNAPSHOTS)] if t not in old]
            dropped = [self.kept.pop(token) for token in old]
        for snapshot in dropped:
            with snapshot.lock:
                snapshot.closed = True
                snapshot.cursor.close()
            snapshot.generation.leave()
