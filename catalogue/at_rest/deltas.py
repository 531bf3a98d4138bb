"""The speed layer's deltas: manifests that name offset ranges, and the chains that they form.

A delta holds what the events of its ranges add to every rollup, given all events before them. Where one delta ends in
every partition of a topic the next begins: they form a chain, whichever processes wrote them. The state at a chain's
end is the batch state at the cut where it begins, plus its deltas. Where several chains lead on from a cut, each gives
the same sums. A delta that no cut leads to any more, such as one whose beginning a batch run stepped over, is orphaned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.manifest import Damaged, Manifest
from runtime.storage.store import Store

FOLDER = "_deltas/"
# The highest number that was given when deltas were dropped: numbers are given once.
NUMBER = "_last_number"
READERS = 16
Ranges = dict[str, dict[str, list[int]]]
Vector = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Delta(Manifest):
    """A delta's manifest.

    `number` is its own; a compacted one also has in `last` the number of the last delta that was merged into it.
    `created_at` and `begun_at` are when the last and the first of these were made. `ranges` are the offsets [from, to)
    by topic and partition, most of them empty. `origin` is the chain's first offset in partitions that its cut doesn't
    name. `newest` is the newest arrival in Kafka by topic. `data` and `ids` are the paths of its rollups and of its
    events' ids. `rules` is the fingerprint of what it was made by, `erased` the version of who was erased.
    """

    number: int
    last: int
    created_at: str
    ranges: Ranges
    ledger: Ledger
    origin: dict[str, Vector]
    newest: dict[str, str] = field(default_factory=dict)
    data: str = ""
    ids: str = ""
    begun_at: str = ""
    rules: str = ""
    erased: str = ""

    @classmethod
    def decoded(cls, where: str, data: bytes) -> Self:
        """The manifest in `data`; Damaged, naming `where` it stands, for anything else."""
        found = super().decoded(where, data)
        for topic, partitions in found.ranges.items():
            for partition, bounds in partitions.items():
                if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1]:
                    raise Damaged(f"{where}: field ranges.{topic}.{partition} must be [from, to); got {bounds}")
        return found

    @property
    def path(self) -> str:
        """Where the manifest stands below the speed views."""
        return manifest_path(self.number, self.last)

    def starts(self, topic: str) -> Vector:
        """First offsets that the delta covers."""
        return {p: bounds[0] for p, bounds in self.ranges.get(topic, {}).items()}

    def ends(self, topic: str) -> Vector:
        """First offsets that it doesn't cover any more."""
        return {p: bounds[1] for p, bounds in self.ranges.get(topic, {}).items()}

    def touches(self, topic: str) -> bool:
        """Whether it covers any event of the topic."""
        return any(first != end for first, end in self.ranges.get(topic, {}).values())

    def is_below(self, cut: Mapping[str, Vector]) -> bool:
        """Whether a cut covers every event of it."""
        return all(reaches(cut.get(topic, {}), self.ends(topic)) for topic in self.ranges if self.touches(topic))

    def follows(self, topic: str, vector: Vector) -> bool:
        """Whether it begins exactly at `vector`; partitions that `vector` lacks begin where the chain did."""
        origin = self.origin.get(topic, {})
        return all(first == vector.get(p, origin.get(p, 0)) for p, first in self.starts(topic).items())


def manifest_path(number: int, last: int | None = None) -> str:
    """Path of the manifest of delta `number`, or of a compacted one up to `last`."""
    return f"{FOLDER}{number:020}" + (f"-{last:020}" if last not in (None, number) else "") + ".json"


def read_delta(speed: Store, path: str) -> Delta:
    """The manifest at `path`; FileNotFoundError where there is none, Damaged where it isn't whole."""
    return Delta.read(speed, path)


def read_deltas(speed: Store, known: Iterable[Delta] = ()) -> list[Delta]:
    """Every manifest, in the order of their numbers. One that compaction removes meanwhile is left out.

    Those that are `known` are not read again.
    """
    by_path = {delta.path: delta for delta in known}

    def read(path: str) -> Delta | None:
        try:
            return by_path.get(path) or read_delta(speed, path)
        except FileNotFoundError:
            return None

    paths = [e.path for e in speed.list(FOLDER)]
    with ThreadPoolExecutor(READERS) as readers:
        return [d for d in readers.map(read, paths) if d is not None]


def drop_manifests(speed: Store, deltas: Iterable[Delta]) -> None:
    """Delete manifests; their numbers stay given."""
    gone = list(deltas)
    if gone:
        last = max(noted_number(speed), *(delta.last for delta in gone))
        speed.write(NUMBER, str(last).encode())
        speed.delete([delta.path for delta in gone])


def noted_number(speed: Store) -> int:
    """The highest number of the deltas that were dropped with their manifests; 0 where none was."""
    try:
        return int(speed.read(NUMBER))
    except FileNotFoundError:
        return 0


def chain(deltas: Iterable[Delta], topic: str, cut: Vector) -> list[Delta]:
    """The topic's chain from `cut`: the first delta begins there, each next one where the one before it ends.

    Where several begin at the same offsets, the one that most deltas were merged into is taken, of equals the newest.
    Empty where no delta begins at `cut`.
    """
    touching = sorted((d for d in deltas if d.touches(topic)), key=lambda d: (d.last - d.number, d.last))
    by_start = {_key(delta.starts(topic)): delta for delta in touching}
    firsts = [d for d in touching if d.follows(topic, cut)]
    found: list[Delta] = []
    following = firsts[-1] if firsts else None
    while following:
        found.append(following)
        following = by_start.get(_key(following.ends(topic)))
    return found


def trail(deltas: Iterable[Delta], topic: str) -> list[Delta]:
    """The topic's deltas back from the furthest one, each entirely before the next: no event is in two of them.

    They are in the order of offsets. Unlike a chain a trail starts at no cut and may have gaps, where a batch run was
    ahead of the speed layer.
    """
    touching = [d for d in deltas if d.touches(topic)]
    found: list[Delta] = []
    for delta in sorted(touching, key=lambda d: (sum(d.ends(topic).values()), d.last - d.number), reverse=True):
        if not found or reaches(found[-1].starts(topic), delta.ends(topic)):
            found.append(delta)
    return found[::-1]


def reaches(vector: Vector, other: Vector) -> bool:
    """Whether `vector` is nowhere before `other`."""
    return all(vector.get(p, 0) >= offset for p, offset in other.items())


def reached(deltas: Iterable[Delta], topic: str, cut: Vector) -> Vector:
    """Where the chain from `cut` ends; `cut` itself where no delta begins there."""
    following = chain(deltas, topic, cut)
    return following[-1].ends(topic) if following else dict(cut)


def boundary(deltas: Iterable[Delta], topic: str, cut: Vector, landed: Vector) -> Vector | None:
    """The next cut of a batch run whose last one was `cut`, when raw events have landed up to `landed`.

    Where the chain from `cut` covers all that has landed, the next cut is the last end of a delta within `landed`, or
    `cut` itself where none lies there: the rest of the chain leads on from it, and none of its deltas is orphaned.

    None where the run may take all that has landed: there was no cut yet, or the chain ends before `landed`, so that
    the batch layer would have to wait for the speed layer.
    """
    ends, within = cut, cut
    for delta in chain(deltas, topic, cut):
        ends = delta.ends(topic)
        if reaches(landed, ends):
            within = ends
    return within or None if reaches(ends, landed) else None


def _key(vector: Vector) -> tuple[tuple[str, int], ...]:
    # A partition that was added is at its beginning, whether the vector names it yet or not.
    return tuple(sorted((p, offset) for p, offset in vector.items() if offset))
