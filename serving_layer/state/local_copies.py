"""Local copies of the store's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb

from catalogue.at_rest.deltas import Delta
from runtime.storage.store import StorageError, Store

# Gives a local copy of a delta's rows, kept meanwhile.
Fetched = Callable[[Delta], AbstractContextManager[Path]]


@contextmanager
def naming_object(store: Store, path: str, local: Path) -> Iterator[None]:
    """What goes wrong with a local copy is told of the object that it is a copy of, as a StorageError."""
    try:
        yield
    except (duckdb.Error, ValueError, OSError) as error:
        told = (str(error) or type(error).__name__).splitlines()[0].replace(str(local), path)
        raise StorageError(f"'{path}' in {store.uri}: {told}") from error


@contextmanager
def fetched(store: Store, path: str, local: Path) -> Iterator[Path]:
    """A local copy of an object, kept meanwhile."""
    store.download(path, local)
    try:
        with naming_object(store, path, local):
            yield local
    finally:
        local.unlink(missing_ok=True)
