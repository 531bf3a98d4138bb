"""How a task hands rows to several tasks of the next round: written once, each row into the file of its task."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from batch_layer.steps import Rows

PLACE = "handed_to"


def handed_on(
    con: duckdb.DuckDBPyConnection,
    query: str,
    relation: str,
    group: str,
    place: str,
    places: int,
    scratch: Path,
    columns: str = "*",
) -> Iterator[Rows]:
    """The `columns` of a query, which is run once, for the tasks `<group>/<place>`; `place` is an SQL expression over
    its columns, from 0 to below `places`. In `scratch` they stand until they are taken.
    """
    folder = scratch / "handed-on"
    rows = f"SELECT {columns}, {place} AS {PLACE} FROM ({query})"
    con.execute(f"COPY ({rows}) TO '{folder}' (FORMAT parquet, PARTITION_BY ({PLACE}))")
    for number in range(places):
        for file in sorted((folder / f"{PLACE}={number}").glob("*.parquet")):
            yield Rows(f"{group}/{number}", relation, file.read_bytes())
            file.unlink()
    shutil.rmtree(folder, ignore_errors=True)
