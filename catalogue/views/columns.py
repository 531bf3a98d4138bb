"""The columns of rollups and views as DuckDB has them: types, and what only it can say is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import duckdb

from catalogue.declarations import refuse
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.typed_events import typed_events, value_struct
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.rollups import Rollup
from catalogue.views.view import View


@cache
def view_columns() -> Mapping[str, dict[str, str]]:
    """SQL type of each view's columns, in order; DeclarationError with every view that DuckDB refuses."""
    con = connect()
    _create_tables(con, ROLLUPS.values())
    faults: list[str] = []
    columns = {}
    for view in VIEWS.values():
        try:
            columns[view.name] = _described(con, view.sql)
        except duckdb.Error as error:
            faults.append(_refused(f"view '{view.name}'", error))
    refuse(faults)
    return columns


def database_faults(rollups: Iterable[Rollup], views: Iterable[View]) -> Iterator[str]:
    """What DuckDB refuses of rollups and views, and columns of another type than declared. Takes half a second."""
    con = connect()
    rollups = tuple(rollups)
    for topic in dict.fromkeys(r.topic for r in rollups):
        place = 'raw("partition" INTEGER, "offset" BIGINT, kafka_ts TIMESTAMP'
        con.execute(f"CREATE OR REPLACE TABLE {place}, value {value_struct(TOPICS[topic].name)})")
        con.execute(f"CREATE OR REPLACE VIEW events AS {typed_events(topic, 'raw')}")
        for rollup in (r for r in rollups if r.topic == topic):
            yield from _rollup_faults(con, rollup)
    _create_tables(con, rollups)
    for view in views:
        try:
            _described(con, view.sql)
        except duckdb.Error as error:
            yield _refused(f"view '{view.name}'", error)


def _rollup_faults(con: duckdb.DuckDBPyConnection, rollup: Rollup) -> Iterator[str]:
    try:
        made = _described(con, rollup.roll_up("events"))
    except duckdb.Error as error:
        yield _refused(f"rollup '{rollup.name}'", error)
        return
    for name, kind in rollup.types.items():
        if made.get(name) != kind:
            yield f"rollup '{rollup.name}': column '{name}' must be {kind}; got {made.get(name)}"


def _create_tables(con: duckdb.DuckDBPyConnection, rollups: Iterable[Rollup]) -> None:
    for rollup in rollups:
        con.execute(f"CREATE TABLE {rollup.name} ({rollup.declared})")


def _described(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {sql}").fetchall()}


def _refused(who: str, error: duckdb.Error) -> str:
    return f"{who}: SELECT must be one that DuckDB takes; got {str(error).splitlines()[0]}"
