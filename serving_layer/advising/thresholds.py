"""Each adviser's thresholds: from when on a student is somebody to see.

An object an adviser, a line each time one was changed, beside what advisers write; the newest line counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from runtime.storage.store import StorageError, Store
from runtime.timestamps import now
from runtime.words import without
from serving_layer.advising.lines import grow, place_of

FOLDER = "thresholds/"
# Days without a visit, percent of the week before, days that work is open, days since a deadline was missed, days in a
# course without a material, points.
DEFAULTS = {"quiet": 7, "share": 50, "open": 14, "late": 7, "materials": 14, "grade": 50}
MOST = 1000


@dataclass(frozen=True)
class Thresholds:
    """Those of `by` from `at` (UTC) on; `at` is empty where they never chose."""

    at: str
    by: str
    thresholds: dict[str, int]


def thresholds_of(store: Store, person: str) -> Thresholds:
    """A person's, with the defaults for what they never chose. StorageError where they can't be read."""
    lines = history_of(store, person)
    return lines[-1] if lines else Thresholds("", person, dict(DEFAULTS))


def history_of(store: Store, person: str) -> list[Thresholds]:
    """Every one that a person chose, the oldest first."""
    path = place_of(FOLDER, person)
    try:
        return _parsed(store, path, store.read(path))
    except FileNotFoundError:
        return []


def choose(store: Store, person: str, chosen: dict[str, int], at: str = "") -> Thresholds:
    """Keep what was chosen, others as they were; nothing is written where that changes nothing."""
    path, kept = place_of(FOLDER, person), Thresholds("", person, dict(DEFAULTS))

    def more(data: bytes) -> bytes:
        nonlocal kept
        before = _parsed(store, path, data)
        kept = before[-1] if before else Thresholds("", person, dict(DEFAULTS))
        wanted = {**kept.thresholds, **chosen}
        if wanted == kept.thresholds:
            return b""
        kept = Thresholds(at or now(), person, wanted)
        return json.dumps(asdict(kept), ensure_ascii=False).encode() + b"\n"

    grow(store, path, more)
    return kept


def forget(store: Store, people: Iterable[str]) -> None:
    """Leave out what these people chose, by whichever credential."""
    ids = {*people}

    def theirs(path: str) -> bool:
        try:
            lines = _parsed(store, path, store.read(path))
        except FileNotFoundError:
            return False
        return any(one.by in ids or without(one.by, ids) != one.by for one in lines)

    store.delete([entry.path for entry in store.list(FOLDER) if theirs(entry.path)])


def _parsed(store: Store, path: str, data: bytes) -> list[Thresholds]:
    try:
        lines = [Thresholds(**json.loads(line)) for line in data.splitlines()]
        return [Thresholds(one.at, one.by, {**DEFAULTS, **one.thresholds}) for one in lines]
    except (TypeError, ValueError) as error:
        raise StorageError(f"'{path}' in {store.uri}: must be thresholds; got {type(error).__name__}") from error
