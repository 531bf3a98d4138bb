"""The table of a rollup, merged of parts of its state that are at hand one at a time."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from catalogue.views.rollups import Rollup


def make_table(con: duckdb.DuckDBPyConnection, rollup: Rollup, parts: Iterable[str]) -> None:
    """Make the table of a rollup of SELECTs of its rows, each asked for when the one before it has been read."""
    name = rollup.name
    con.execute(f"CREATE TABLE parts_{name} ({rollup.declared})")
    for part in parts:
        con.execute(f"INSERT INTO parts_{name} BY NAME {part}")
    con.execute(f"CREATE TABLE {name} AS {rollup.merge(f'parts_{name}')}")
    con.execute(f"DROP TABLE parts_{name}")
