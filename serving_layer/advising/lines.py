"""Objects that grow by lines: appended by many at a time, none of theirs lost, none changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from runtime.storage.store import Conflict, StorageError, Store

ATTEMPTS = 20


def grow(store: Store, path: str, more: Callable[[bytes], bytes]) -> None:
    """Append what `more` says to what an object holds then; nothing is written where that is nothing.

    StorageError where others keep changing the object.
    """
    for _ in range(ATTEMPTS):
        tag = store.etag(path)
        try:
            data = store.read(path) if tag else b""
        except FileNotFoundError:
            continue
        line = more(data)
        if not line:
            return
        try:
            store.swap(path, data + line, tag)
        except Conflict:
            continue
        return
    raise StorageError(f"'{path}' in {store.uri} kept changing under {ATTEMPTS} attempts")


def place_of(folder: str, person: str) -> str:
    """Where a person's lines are; the id itself may have anything in it."""
    return f"{folder}{hashlib.sha256(person.encode()).hexdigest()[:32]}.jsonl"
