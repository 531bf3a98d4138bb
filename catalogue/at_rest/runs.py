"""Where a batch run's objects stand below the batch views, for the layers that write and read them."""

from __future__ import annotations

import json
from typing import Any

from runtime.storage.store import StorageError, Store

CURRENT = "_current.json"
RUNS = "_runs/"
PARTS = ("settled", "recent")


def current(batch: Store) -> tuple[dict[str, Any], str | None]:
    """The published run's manifest and its tag; empty and None where nothing was published."""
    tag = batch.etag(CURRENT)
    return (_manifest(batch, CURRENT), tag) if tag else ({}, None)


def kept(batch: Store, run: str) -> dict[str, Any]:
    """The manifest of a run that retention holds. FileNotFoundError where it holds it no more."""
    return _manifest(batch, run_path(run))


def _manifest(batch: Store, path: str) -> dict[str, Any]:
    try:
        found = json.loads(batch.read(path))
    except ValueError as error:
        raise StorageError(f"'{path}' in {batch.uri}: must be JSON; {error}") from error
    if not isinstance(found, dict) or not {"run", "cut", "ledger", "views", "state"} <= set(found):
        raise StorageError(f"'{path}' in {batch.uri}: must be a run's manifest; got {json.dumps(found)[:60]}")
    return found


def run_path(run: str) -> str:
    """The manifest of a kept run."""
    return f"{RUNS}{run}.json"


def state_folder(topic: str, run: str) -> str:
    """A topic's state after a run: two Parquet files per rollup and for the ids of the horizon, and `inputs.json`."""
    return f"_state/{topic}/run={run}"


def state_file(topic: str, run: str, name: str, part: str) -> str:
    """One of the PARTS of a rollup, or of the ids; the rows of both together, merged, are the state."""
    return f"{state_folder(topic, run)}/{name}-{part}.parquet"


def view_file(folder: str) -> str:
    """The Parquet file of a view whose folder a manifest's `path` names."""
    return f"{folder}/part-00000.parquet"
