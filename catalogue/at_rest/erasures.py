"""Who was erased, as keyed hashes: what is read, landed or counted again of these people counts as erased.

`_erasures/tombstones.json` below the raw events only grows. Each version of it has a name that tells which is newer; a
batch run keeps a copy of the version that it was made by, and its manifest names it, so that speed and serving follow
the run. The ids themselves stand nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from catalogue.at_rest.manifest import Manifest
from runtime.errors import PlatformError
from runtime.storage.store import Conflict, Store

FOLDER = "_erasures/"
TOMBSTONES = f"{FOLDER}tombstones.json"
# What stands in a raw line in the place of an event that was erased.
STUB = '{"erased":true}'
ATTEMPTS = 20
T = TypeVar("T")


class ErasureError(PlatformError):
    """Who was erased can't be told, or not be noted; the message is one line for people."""


@dataclass(frozen=True, kw_only=True)
class Tombstones(Manifest):
    """The object: `people` are the keyed hashes, `key` tells which key made them, `number` how often it has grown."""

    number: int = 0
    key: str = ""
    people: list[str] = field(default_factory=list)

    @property
    def version(self) -> str:
        """Its name; empty where nobody was erased."""
        if not self.people:
            return ""
        return f"{self.number}-{hashlib.sha256(' '.join(self.people).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Erasures:
    """Who was erased, as tasks are told: one version of the tombstones, and the key."""

    version: str = ""
    people: frozenset[str] = frozenset()
    key: str = field(default="", repr=False)

    def among(self, ids: Iterable[str | None]) -> list[str]:
        """Those of `ids` that are of people who were erased."""
        if not self.people:
            return []
        return [one for one in ids if one is not None and keyed_hash(self.key, one) in self.people]

    def may_be_in(self, texts: Sequence[bytes]) -> list[bool]:
        """Whether each of some JSON texts can name one of them: ids can't be told from hashes, so any can."""
        return [bool(self.people)] * len(texts)


NOBODY = Erasures()


def age(version: str) -> int:
    """The number of a version: a newer one has a larger one."""
    return int(version.partition("-")[0] or 0)


def keyed_hash(key: str, person: str) -> str:
    """HMAC-SHA-256 of a person's id."""
    return hmac.digest(key.encode(), b"erased " + person.encode("utf-8", "surrogatepass"), "sha256").hex()


def read_erasures(store: Store, key: str | None, path: str = TOMBSTONES) -> Erasures:
    """Who was erased. ErasureError where `key` isn't the one by which they are known, Damaged where it isn't whole."""
    return _opened(_tombstones(store, path)[0], key)


def version_path(version: str) -> str:
    """Where a batch run keeps the version of the tombstones that it was made by, below the batch views."""
    return f"{FOLDER}{version}.json"


def keep_version(batch: Store, erasures: Erasures) -> None:
    """Copy the tombstones beside the batch views under their version."""
    if erasures.version:
        people = Tombstones(number=age(erasures.version), key=_told(erasures.key), people=sorted(erasures.people))
        batch.write(version_path(erasures.version), people.encoded())


def add_people(raw: Store, key: str, people: Iterable[str]) -> Erasures:
    """Note that the people of these ids are erased. ErasureError where the key isn't the one by which others were."""
    hashes = {keyed_hash(key, person) for person in people}
    for _ in range(ATTEMPTS):
        found, tag = _tombstones(raw, TOMBSTONES)
        known = _opened(found, key)
        if hashes <= known.people:
            return known
        grown = Tombstones(
            number=found.number + 1, key=_told(key), people=sorted(known.people | hashes), unknown=found.unknown
        )
        try:
            raw.swap(TOMBSTONES, grown.encoded(), tag)
        except Conflict:
            continue
        return _opened(grown, key)
    raise ErasureError(f"'{TOMBSTONES}' in {raw.uri}: kept changing under {ATTEMPTS} attempts")


class Watched:
    """The erasures of `store` as a long-running process follows them: read again when they change."""

    def __init__(self, store: Store, key: str | None):
        self.store, self.key = store, key
        self._tag: str | None = None
        self._read = NOBODY

    def now(self) -> Erasures:
        """Who is erased at this moment."""
        tag = self.store.etag(TOMBSTONES)
        if tag != self._tag:
            self._read, self._tag = read_erasures(self.store, self.key), tag
        return self._read


def landed_without(erasures: Callable[[], Erasures], land: Callable[[Erasures], T]) -> T:
    """What `land` makes by who is erased; made again where somebody was erased meanwhile.

    So whoever is erased after it has returned finds every file in its place.
    """
    gone = erasures()
    while True:
        made, known = land(gone), gone
        gone = erasures()
        if gone == known:
            return made


def _tombstones(store: Store, path: str) -> tuple[Tombstones, str | None]:
    tag = store.etag(path)
    if tag is None:
        return Tombstones(), None
    return Tombstones.read(store, path), tag


def _opened(found: Tombstones, key: str | None) -> Erasures:
    if not found.people:
        return NOBODY
    if not key or _told(key) != found.key:
        got = "another" if key else "none"
        raise ErasureError(f"setting ERASURE_KEY: must be the key by which people were erased; got {got}")
    return Erasures(found.version, frozenset(found.people), key)


def _told(key: str) -> str:
    """What may be told of a key."""
    return hashlib.sha256(b"erasure key " + key.encode()).hexdigest()[:16]
