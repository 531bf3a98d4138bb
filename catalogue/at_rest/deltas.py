"""The speed layer's deltas: manifests that name offset ranges, and the chain of them that follows a cut.

A delta holds what the events of its ranges add, given everything before them. Deltas whose ends meet in every
partition of a topic can be added one after the other, whichever process wrote them; where several ways lead on from a
cut, each gives the same sums.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from catalogue.at_rest.ledger import Ledger
from runtime.storage.store import Store

FOLDER = "_deltas/"
ALIVE = "_alive.json"
READERS = 16
Ranges = dict[str, dict[str, list[int]]]
Vector = dict[str, int]


@dataclass(frozen=True)
class Delta:
    """A manifest: `ranges` [from, to) of every partition of the six topics, most of them empty.

    `last` is the number of the last delta that it stands for; above `number` only in a compacted one. `origin` is where
    the chain began in the partitions that no cut covered. `newest` is the newest arrival by topic. `begun_at` of a
    compacted one is when the first that it stands for was made. `rules` is the fingerprint of what it was made by.
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

    @property
    def path(self) -> str:
        """Where the manifest stands below the speed views."""
        return manifest_path(self.number, self.last)

    def encoded(self) -> bytes:
        """The manifest as it is stored."""
        return json.dumps(asdict(self)).encode()

    def starts(self, topic: str) -> Vector:
        """First offsets that the delta covers."""
        return {p: bounds[0] for p, bounds in self.ranges[topic].items()}

    def ends(self, topic: str) -> Vector:
        """First offsets that it doesn't cover any more."""
        return {p: bounds[1] for p, bounds in self.ranges[topic].items()}

    def touches(self, topic: str) -> bool:
        """Whether it covers any event of the topic."""
        return any(first != end for first, end in self.ranges.get(topic, {}).values())

    def follows(self, topic: str, vector: Vector) -> bool:
        """Whether it begins exactly at `vector`; partitions that `vector` lacks begin where the chain did."""
        origin = self.origin.get(topic, {})
        return all(first == vector.get(p, origin.get(p, 0)) for p, first in self.starts(topic).items())


def manifest_path(number: int, last: int | None = None) -> str:
    """Path of the manifest of delta `number`, or of a compacted one up to `last`."""
    return f"{FOLDER}{number:020}" + (f"-{last:020}" if last not in (None, number) else "") + ".json"


def read_delta(speed: Store, path: str) -> Delta:
    """The manifest at `path`; FileNotFoundError where there is none, ValueError where it is damaged."""
    try:
        return Delta(**json.loads(speed.read(path)))
    except (TypeError, KeyError) as error:
        raise ValueError(f"delta '{path}': must be a manifest; {error}") from error


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


def chain(deltas: Iterable[Delta], topic: str, cut: Vector) -> list[Delta]:
    """The deltas that lead on from `cut`, each from where the one before it ends; compacted and newer ones first."""
    touching = sorted((d for d in deltas if d.touches(topic)), key=lambda d: (d.last - d.number, d.last))
    by_start: dict[tuple, Delta] = {}
    for delta in touching:
        by_start[_key(delta.starts(topic))] = delta
    found: list[Delta] = []
    firsts = [d for d in touching if d.follows(topic, cut)]
    following = firsts[-1] if firsts else None
    while following:
        found.append(following)
        following = by_start.get(_key(following.ends(topic)))
    return found


def trail(deltas: Iterable[Delta], topic: str) -> list[Delta]:
    """The deltas up to the furthest one, in order and without overlap, as far back as there are any; there may be gaps."""
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
    """Where the chain from `cut` ends; `cut` itself where nothing follows it."""
    following = chain(deltas, topic, cut)
    return following[-1].ends(topic) if following else dict(cut)


def boundary(deltas: Iterable[Delta], topic: str, cut: Vector, landed: Vector) -> Vector | None:
    """Where a batch run should cut: the last end of a delta on the chain from `cut` that is not beyond `landed`.

    It is `cut` where no delta ends between the two. None where the run may take everything that is landed: there is no
    chain, it doesn't reach `landed` and waiting for it would hold the batch up, or it is the first run.
    """
    found, ends = cut or None, cut
    for delta in chain(deltas, topic, cut):
        ends = delta.ends(topic)
        if all(end <= landed.get(p, 0) for p, end in ends.items()):
            found = ends
    return None if any(ends.get(p, 0) < offset for p, offset in landed.items()) else found


def _key(vector: Vector) -> tuple:
    # A partition that was added is at its beginning, whether the vector names it yet or not.
    return tuple(sorted((p, offset) for p, offset in vector.items() if offset))
