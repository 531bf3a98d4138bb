"""Statements that are run again and again over few rows: for the records of a second, planning takes several times as
long as everything else. They are planned once.
"""

from __future__ import annotations

import atexit
import warnings
import weakref
from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.sql.dialect import connect

# `con.sql` would need no copy, but it plans twice.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result")


class _Place:
    """A table's place in a plan, by the Arrow PyCapsule interface: each execution reads what lies there then.

    https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __init__(self, schema: pa.Schema):
        self.table = schema.empty_table()

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class _Plan:
    """A SELECT over tables of certain schemas.

    It has a cursor of its own: what is registered or made beside a plan would have it planned anew at each execution.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, sql: str, schemas: dict[str, pa.Schema]):
        self._con = con.cursor()
        self._con.execute("SET TimeZone = 'UTC'")
        self._places = {name: _Place(schema) for name, schema in schemas.items()}
        for name, place in self._places.items():
            self._con.register(name, place)
        self._con.execute(f"PREPARE planned AS {sql}")
        (self._run,) = duckdb.extract_statements("EXECUTE planned")

    def rows(self, tables: dict[str, pa.Table]) -> pa.Table:
        for name, table in tables.items():
            self._places[name].table = table
        try:
            return self._con.execute(self._run).to_arrow_table()
        finally:
            for place in self._places.values():
                place.table = place.table.schema.empty_table()


_plans: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[Any, _Plan]] = weakref.WeakKeyDictionary()


def rows(con: duckdb.DuckDBPyConnection, sql: str, **tables: pa.Table) -> pa.Table:
    """The rows of a SELECT over `tables`, which it calls by these names. Its plan is kept as long as the connection."""
    plans = _plans.setdefault(con, {})
    key = (sql, *((name, table.schema) for name, table in tables.items()))
    if key not in plans:
        plans[key] = _Plan(con, sql, {name: table.schema for name, table in tables.items()})
    return plans[key].rows(tables)


def arrow(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> pa.Table:
    """The rows of a statement that is planned for this once."""
    table: pa.Table = con.execute(sql, values).to_arrow_table()
    return table


@cache
def connection(name: str) -> duckdb.DuckDBPyConnection:
    """A connection that this process keeps, with its plans: Spark keeps worker processes from batch to batch."""
    return connect()


atexit.register(connection.cache_clear)
