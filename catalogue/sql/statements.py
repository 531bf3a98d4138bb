"""Statements that are run again and again over few rows: for the records of a second, parsing takes longer than
everything else.
"""

from __future__ import annotations

import warnings
from functools import cache

import duckdb
import pyarrow as pa

# `con.sql` would need no copy, but it plans twice and parses again: 55 instead of 29 ms of processor time for the 200
# records of a topic and second, far more than the copy.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result")


def execute(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Execute a statement, of which this process keeps what its text was parsed to."""
    return con.execute(_parsed(sql))


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The rows of a SELECT, parsed once."""
    return execute(con, sql).to_arrow_table()


@cache
def _parsed(sql: str) -> duckdb.Statement:
    return duckdb.extract_statements(sql)[0]
