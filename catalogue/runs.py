"""Where a batch run's objects stand below the batch views, for the layers that write and read them."""

from __future__ import annotations

CURRENT = "_current.json"
RUNS = "_runs/"


def run_path(run: str) -> str:
    """The manifest of a kept run."""
    return f"{RUNS}{run}.json"


def state_folder(topic: str, run: str) -> str:
    """A topic's state after a run: a Parquet file per rollup, `ids.parquet` and `inputs.json`."""
    return f"_state/{topic}/run={run}"


def view_file(folder: str) -> str:
    """The Parquet file of a view whose folder a manifest's `path` names."""
    return f"{folder}/part-00000.parquet"
