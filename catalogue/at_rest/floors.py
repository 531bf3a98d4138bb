"""From which offsets on raw files hold events: below these floors retention has dropped them."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalogue.at_rest.manifest import Manifest
from catalogue.at_rest.raw_files import Offsets
from runtime.storage.store import Store

RETENTION = "_retention.json"


@dataclass(frozen=True, kw_only=True)
class Floors(Manifest):
    """The first offsets that are kept, by topic and partition; a partition without one has lost nothing."""

    floors: Offsets = field(default_factory=dict)


def read_floors(raw: Store) -> Offsets:
    """The floors of raw files."""
    try:
        return Floors.read(raw, RETENTION).floors
    except FileNotFoundError:
        return {}


def raise_floors(raw: Store, floors: Offsets) -> None:
    """Note higher floors, before files below them go. Conflict where somebody else does so at the same time."""
    if not floors:
        return
    tag = raw.etag(RETENTION)
    known = read_floors(raw)
    for topic, partitions in floors.items():
        mine = known.setdefault(topic, {})
        for partition, first in partitions.items():
            mine[partition] = max(mine.get(partition, 0), first)
    raw.swap(RETENTION, Floors(floors=known).encoded(), tag)
