"""The dialect of rollups and views: DuckDB's SQL in UTC, with a few macros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

MAX_SUM = 2**63 - 1
_MACROS = (
    # Percentage of part in whole, rounded half up to two decimals; NULL when the whole is 0.
    "CREATE OR REPLACE MACRO percentage(part, whole) AS ((20000 * part + whole) // (2 * nullif(whole, 0))) / 100.0",
    # Sum as a 64-bit integer; it stays at the largest one instead of overflowing.
    f"CREATE OR REPLACE MACRO whole(x) AS (CASE WHEN sum(x) > {MAX_SUM} THEN {MAX_SUM} ELSE sum(x) END)::BIGINT",
    "CREATE OR REPLACE MACRO utc(t) AS t::TIMESTAMP AT TIME ZONE 'UTC'",
)


def connect(database: str = ":memory:", threads: int = 1, **options: Any) -> duckdb.DuckDBPyConnection:
    """A connection that speaks the dialect, by default for use inside a task; `options` are DuckDB's."""
    con = duckdb.connect(database, config={"threads": threads, **options})
    con.execute(";".join(("SET TimeZone = 'UTC'", *_MACROS)))
    return con


def rows_of(*files: Path) -> str:
    """SQL for the rows of local Parquet files: what folders are named is no column of them."""
    listed = ", ".join(f"'{file}'" for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"
