"""Local copies of the store's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import duckdb

from catalogue.at_rest.deltas import Delta
from catalogue.at_rest.runs import ViewFiles
from catalogue.sql.dialect import connect, rows_of
from runtime.storage.store import StorageError, Store

# Of DuckDB while it puts the parts of a view together, whatever their size.
MOST_MEMORY = "256MiB"
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


def copy_view(store: Store, files: ViewFiles, local: Path) -> None:
    """Copy a view, all parts of it, to one local Parquet file. Raises FileNotFoundError and StorageError."""
    parts = {path: local.with_name(f"{local.name}-{part}") for part, path in enumerate(files.files)}
    try:
        if len(parts) == 1:
            store.download(files.files[0], local)
            return
        for path, part in parts.items():
            store.download(path, part)
            with naming_object(store, path, part), closing(connect(memory_limit=MOST_MEMORY)) as con:
                con.execute(f"SELECT count(*) FROM {rows_of(part)}")
        with naming_object(store, files.path, local), closing(connect(memory_limit=MOST_MEMORY)) as con:
            con.execute(f"COPY (FROM {rows_of(*parts.values())}) TO '{local}' (FORMAT parquet)")
    except BaseException:
        local.unlink(missing_ok=True)
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


@contextmanager
def fetched(store: Store, path: str, local: Path) -> Iterator[Path]:
    """A local copy of an object, kept meanwhile."""
    try:
        store.download(path, local)
        with naming_object(store, path, local):
            yield local
    finally:
        local.unlink(missing_ok=True)
