"""The deltas that this speed layer goes on from and adds to, as they stand below the speed views."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from catalogue.at_rest.deltas import Delta, Vector, chain, drop_manifests, noted_number, reached, read_deltas
from runtime.errors import PlatformError
from runtime.logs import Log
from runtime.storage.store import Store

LOG = Log("speed")


class SecondWriter(PlatformError):
    """Another speed layer publishes deltas to the same place."""


class PublishedDeltas:
    """The deltas of `store` that were made by `rules`, in the order of their numbers; `number` is the last one given.

    Those of other rules are dropped: they don't say what one of these would. May be used by several threads.
    """

    def __init__(self, store: Store, rules: str):
        self.store, self.rules = store, rules
        found = read_deltas(store)
        self._deltas = [d for d in found if d.rules == rules]
        self.number = max((d.last for d in found), default=noted_number(store))
        self._lock = threading.Lock()
        self._others = [d for d in found if d.rules != rules]

    def __len__(self) -> int:
        return len(self._deltas)

    @property
    def all(self) -> list[Delta]:
        """The deltas at this moment."""
        with self._lock:
            return list(self._deltas)

    def chain(self, topic: str, cut: Vector) -> list[Delta]:
        """The topic's chain from `cut`."""
        return chain(self.all, topic, cut)

    def reached(self, topic: str, cut: Vector) -> Vector:
        """Where the topic's chain from `cut` ends."""
        return reached(self.all, topic, cut)

    def publish(self, delta: Delta) -> None:
        """Make a delta visible that has the next number. SecondWriter where another process has given it."""
        try:
            self.store.create(delta.path, delta.encoded())
        except FileExistsError:
            raise SecondWriter(f"delta {delta.number}: another speed layer made it; only one may run") from None
        with self._lock:
            self._deltas.append(delta)
            self.number = delta.number

    def replace(self, group: list[Delta], merged: Delta) -> None:
        """Publish a compacted delta, and delete those that were merged into it."""
        self.store.create(merged.path, merged.encoded())
        with self._lock:
            self._deltas = [merged if d is group[0] else d for d in self._deltas if d is group[0] or d not in group]
        self._delete(group)

    def drop(self, deltas: Iterable[Delta]) -> None:
        """Delete deltas."""
        gone = list(deltas)
        self._delete(gone)
        with self._lock:
            self._deltas = [d for d in self._deltas if d not in gone]

    def remove_leftovers(self) -> None:
        """Delete deltas of other rules, and what a killed speed layer wrote without a manifest.

        What belongs to the next number stays: one that is about to be stopped could still give it a manifest.
        """
        if self._others:
            LOG.info("drops deltas that were made by other rules", deltas=len(self._others))
            drop_manifests(self.store, self._others)
            self._others = []
        known = {path for d in self.all for path in (d.data, d.ids)}
        written = [e.path for prefix in ("data/", "ids/") for e in self.store.list(prefix)]
        left = [path for path in written if path not in known]
        self.store.delete([path for path in left if int(path.partition("/")[2][:20]) <= self.number])

    def _delete(self, deltas: list[Delta]) -> None:
        """The manifests first, so that no reader finds one without its files."""
        self.store.delete([d.path for d in deltas])
        self.store.delete([path for d in deltas for path in (d.data, d.ids)])
