"""Views written from the state in the tables of a connection: all rows, or only those that new events change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from batch_layer.config import ROWS_PER_CHANGED
from batch_layer.report import Report
from batch_layer.state import State
from batch_layer.topic_task import BatchError, TopicTask
from catalogue.at_rest.runs import view_file
from catalogue.sql.dialect import connect, rows_of
from catalogue.views import ROLLUPS
from catalogue.views.view import View


def write_view(state: State, view: View, report: Report, base: str | None, only: str = "") -> None:
    """Write the part of a view that the state in the tables makes; `only` is a condition of its rows.

    `base` is the run whose part of the view has the rows that no new event changes; None to compute all of them.
    """
    try:
        rows = changed_rows(state, view, base) if base else None
        where = f" WHERE {only}" if only else ""
        query = f"SELECT * FROM ({rows or view.sql}){where} ORDER BY {', '.join(view.key)}"
        path = view_file(f"{view.name}/run={state.run}", state.bucket)
        report.views[view.name] = *state.put(query, path), 1
        report.parts.add(path)
    except duckdb.Error as error:
        raise BatchError(f"view '{view.name}': {str(error).splitlines()[0]}") from error


def carry_part(task: TopicTask, view: View, number: int, scratch: Path, report: Report) -> None:
    """Put the base's part of a view, in which nothing changes, into the run's folder: that has to be whole."""
    before, path = (view_file(f"{view.name}/run={run}", number) for run in (task.base, task.run))
    local = scratch / "part.parquet"
    task.output.download(before, local)
    with closing(connect()) as con:
        rows = con.execute(f"SELECT count(*) FROM {rows_of(local)}").fetchall()[0][0]
        columns = {column[0]: column[1] for column in con.execute(f"DESCRIBE FROM {rows_of(local)}").fetchall()}
    task.output.upload(local, path)
    local.unlink()
    report.views[view.name] = rows, columns, 1
    report.parts.add(path)


def changed_rows(state: State, view: View, base: str) -> str | None:
    """SQL of a view's rows: those of the run `base`, but for keys with new events, which are computed.

    None where too many have, or where a row draws on other keys' events.
    """
    con, name, rollups = state.con, view.name, view.rollups(ROLLUPS)
    columns = {r.name: [view.shard_column(r.name) if c == view.shard else c for c in view.key] for r in rollups}
    if view.link or any(not set(columns[r.name]) <= set(r.grain) for r in rollups):
        return None
    changed = " UNION ".join(f"SELECT DISTINCT {', '.join(columns[r.name])} FROM fresh_{r.name}" for r in rollups)
    con.execute(f"CREATE TABLE changed_{name} AS FROM ({changed}) AS c({', '.join(view.key)})")
    local = state.scratch / f"{name}.parquet"
    state.output.download(view_file(f"{name}/run={base}", state.bucket), local)
    con.execute(f"CREATE VIEW base_{name} AS FROM {rows_of(local)}")
    new, before = con.execute(
        f"SELECT (SELECT count(*) FROM changed_{name}), (SELECT count(*) FROM base_{name})"
    ).fetchall()[0]
    if new * ROWS_PER_CHANGED > before:
        return None

    def has_changed(theirs: Sequence[str]) -> str:
        same = (f"c.{mine} IS NOT DISTINCT FROM s.{other}" for mine, other in zip(view.key, theirs, strict=True))
        return f"EXISTS (FROM changed_{name} AS c WHERE {' AND '.join(same)})"

    parts = [f"{r.name} AS (FROM main.{r.name} AS s WHERE {has_changed(columns[r.name])})" for r in rollups]
    return (
        f"FROM base_{name} AS s WHERE NOT {has_changed(view.key)} "
        f"UNION ALL FROM (WITH {', '.join(parts)} FROM ({view.sql}))"
    )
