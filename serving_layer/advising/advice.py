"""Advisers' events: that somebody was noticed, written to, what was noted and what came of it.

An object a student, a line an event, beside roster and keys. Lines are appended and never changed: an object is
replaced only by one that has its lines and one more, and only if nobody else has replaced it meanwhile. What is
answered is read from the store at each question, so that it is whole in every replica.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from runtime.storage.store import Conflict, StorageError, Store
from runtime.timestamps import now
from runtime.words import without
from serving_layer.advising.lines import grow, place_of

FOLDER = "advice/"
KINDS = ("acknowledged", "contacted", "note", "outcome")
READERS = 8


@dataclass(frozen=True)
class Advice:
    """One event: `by` whom about which `student`, when (UTC), and in which words, which may be none."""

    id: str
    at: str
    student: str
    by: str
    kind: str
    text: str = ""


class Advices:
    """Those in `store`; objects that were read stay known by their tags."""

    def __init__(self, store: Store):
        self.store = store
        self._known: dict[str, tuple[str, list[Advice]]] = {}
        self._lock = threading.Lock()

    def add(self, advice: Advice) -> Advice:
        """Append an event; the one that is there where its id is there already. StorageError where that can't be."""
        path, there = path_of(advice.student), advice

        def more(data: bytes) -> bytes:
            nonlocal there
            there = next((one for one in _parsed(self.store, path, data) if one.id == advice.id), advice)
            return b"" if there is not advice else _line(advice)

        grow(self.store, path, more)
        return there

    def of(self, students: Iterable[str] | None = None) -> list[Advice]:
        """The events about these students, or about everyone, the newest first."""
        wanted = None if students is None else {path_of(student) for student in students}
        tags = {entry.path: entry.etag for entry in self.store.list(FOLDER)}
        with self._lock:
            for gone in self._known.keys() - tags.keys():
                del self._known[gone]
            known = {path: events for path, (tag, events) in self._known.items() if tags[path] == tag}
        paths = [path for path in tags if wanted is None or path in wanted]
        with ThreadPoolExecutor(READERS) as pool:
            read = dict(zip(fresh := [p for p in paths if p not in known], pool.map(self._read, fresh), strict=True))
        with self._lock:
            self._known.update({path: (tags[path], events) for path, events in read.items()})
        found = [advice for path in paths for advice in known.get(path, read.get(path, []))]
        return sorted(found, key=lambda advice: (advice.at, advice.id), reverse=True)

    def _read(self, path: str) -> list[Advice]:
        try:
            return _parsed(self.store, path, self.store.read(path))
        except FileNotFoundError:  # an erasure has taken it since it was listed
            return []


def advice(student: str, by: str, kind: str, text: str, name: str, at: str = "") -> Advice:
    """An event of now."""
    return Advice(name, at or now(), student, by, kind, text)


def path_of(student: str) -> str:
    """Where a student's events are; the id itself may have anything in it."""
    return place_of(FOLDER, student)


def forget(store: Store, people: Iterable[str]) -> int:
    """Leave out every event about or by one of these people, and their ids in the words of others; how many events."""
    ids, changed = {*people}, 0
    for entry in store.list(FOLDER):
        while (tag := store.etag(entry.path)) is not None:
            try:
                events = _parsed(store, entry.path, store.read(entry.path))
            except FileNotFoundError:
                break
            kept = [
                replace(one, text=without(one.text, ids), id=without(one.id, ids), by=without(one.by, ids))
                for one in events
                if not {one.student, one.by} & ids
            ]
            differing = len(events) - sum(one in events for one in kept)
            try:
                if differing and not kept:
                    store.delete([entry.path])
                elif differing:
                    store.swap(entry.path, b"".join(map(_line, kept)), tag)
            except Conflict:
                continue
            changed += differing
            break
    return changed


def _line(advice: Advice) -> bytes:
    return json.dumps(asdict(advice), ensure_ascii=False).encode() + b"\n"


def _parsed(store: Store, path: str, data: bytes) -> list[Advice]:
    try:
        return [Advice(**json.loads(line)) for line in data.splitlines()]
    except (TypeError, ValueError) as error:
        raise StorageError(f"'{path}' in {store.uri}: must be advisers' events; got {type(error).__name__}") from error
