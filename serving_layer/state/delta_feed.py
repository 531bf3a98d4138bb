"""The speed layer's deltas as the serving layer takes them: one after the other, each once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalogue.at_rest.deltas import Delta, manifest_path, read_delta, read_deltas
from runtime.storage.store import Store
from serving_layer.state.generation import Generation
from serving_layer.state.local_copies import fetched


class DeltaFeed:
    """`listed` are the manifests that were read; those up to number `taken` are in what is served, or not wanted.

    `erased` is the version of who was erased that the published run was made by: deltas of another aren't wanted. `gap`
    is None, or says which delta is missing in the row of them.
    """

    def __init__(self, speed: Store):
        self.speed = speed
        self.listed: list[Delta] = []
        self.erased = ""
        self.taken = 0
        self._anew = False
        self.gap: str | None = None

    @property
    def known(self) -> list[Delta]:
        """The manifests that were read of deltas that are wanted."""
        return [delta for delta in self.listed if delta.erased == self.erased]

    @contextmanager
    def fetched(self, delta: Delta) -> Iterator[Path]:
        """A local copy of the delta's rows, kept meanwhile."""
        with (
            tempfile.TemporaryDirectory(prefix="delta-") as folder,
            fetched(self.speed, delta.data, Path(folder) / "data.parquet") as local,
        ):
            yield local

    def relist(self) -> None:
        """Read the manifests that are new."""
        self.listed = read_deltas(self.speed, self.listed)

    def next(self) -> Delta | None:
        """The delta after the last that was taken; None where it isn't there yet."""
        try:
            return read_delta(self.speed, manifest_path(self.taken + 1))
        except FileNotFoundError:
            return None

    def take(self, delta: Delta) -> None:
        """Note that a delta is in what is served, or not wanted."""
        self.listed.append(delta)
        self.taken, self.gap = delta.number, None

    def begin_with(self, generation: Generation) -> None:
        """Go on after the deltas that led the first generation on; where none did, after all of them."""
        led = max(state.applied for state in generation.topics.values())
        self.taken = led or max((delta.last for delta in self.listed), default=0)

    def begin_anew(self) -> None:
        """Deltas are made anew, as somebody was erased: those in between may be gone unread."""
        self._anew = True

    def skip_to(self, generation: Generation) -> bool:
        """Go on after the newest delta where the generation reaches its ends; whether any was left out by that."""
        newest = max(self.known, key=lambda d: d.last, default=None)
        if newest is None or newest.last <= self.taken or not generation.reaches(newest):
            return False
        self.taken, self.gap = newest.last, None
        return True

    def merged_away(self) -> Delta | None:
        """The delta that stands for the next one and others, where that was merged away before it was read here."""
        newer = [delta for delta in self.known if delta.last > self.taken]
        following = min(newer, key=lambda d: d.number, default=None)
        if following is None or following.number == following.last == self.taken + 1:
            return None
        if following.number > self.taken + 1 and self._anew:
            self.taken, self._anew, self.gap = following.number - 1, False, None
            return None
        if following.number > self.taken + 1:
            self.gap = f"delta {self.taken + 1} is missing, and later ones are there"
            return None
        return following
