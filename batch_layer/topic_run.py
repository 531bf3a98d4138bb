"""One topic's part of a batch run: the raw events that are new, merged into its state; its views from the state.

The state of a run stands under `_state/<topic>/run=<id>/` (`state.py`), with `inputs.json`, which says what was read
and by which rules.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from batch_layer.config import ROWS_PER_CHANGED
from batch_layer.raw_table import UnreadableFile, fetch, load, unreadable_lines
from batch_layer.state import State
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import BatchError, TopicResult
from catalogue.at_rest.ledger import Entries, add_entries
from catalogue.at_rest.runs import ViewFiles, view_file
from catalogue.sql.dialect import connect
from catalogue.sql.duplicates import counted_of, duplicates_of, identified
from catalogue.views import ROLLUPS
from catalogue.views.view import View


def compute(plan: TopicPlan) -> TopicResult | None:
    """Do a task as planned; None where nothing is new since its base. Raises BatchError and StorageError."""
    started = time.monotonic()
    if plan.is_idle:
        return None
    try:
        result = TopicExecution(plan).result() or TopicExecution(plan.of_everything()).result()
    except (UnreadableFile, ValueError) as error:
        raise BatchError(str(error)) from error
    if result is None or plan.known and result.base and not result.cut:
        return None
    result.seconds = time.monotonic() - started
    return result


class TopicExecution:
    """A plan being carried out, in one DuckDB."""

    def __init__(self, plan: TopicPlan) -> None:
        self.plan, self.task, self.known = plan, plan.task, plan.known

    def result(self) -> TopicResult | None:
        """What came of it, with an empty cut where nothing is new since the base.

        None if the files reach below the known cut in a way that can't be told apart: all have to be read.
        """
        con = connect()
        task, known, source = self.task, self.known, self.plan.source
        result = TopicResult(task.topic, task.run, task.base if known else None)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            con.execute(f"SET temp_directory = '{folder}'")
            if task.memory:
                con.execute(f"SET memory_limit = '{task.memory}'")
            local = fetch(task.raw, self.plan.files, scratch)
            result.unreadable_lines = load(con, task.topic, local)
            cut: dict[str, int] = known.get("cut", {})
            if source.head is not None:
                # A cut may stand inside of a file: its events below the last one are counted, those beyond this wait.
                _keep_between(con, cut, source.head)
                if known and source.head == cut:
                    return result
            elif _reaches_below(con, cut):
                return None
            if result.unreadable_lines:
                lines = unreadable_lines(con, task.topic, local)
                data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
                task.output.write(f"_unreadable/topic={task.topic}/run={task.run}.json", data)
            for path in local:
                path.unlink()
            state = State(con, task.topic, task.output, scratch, task.base if known else None)
            con.execute(f"CREATE TABLE fresh_ids AS {identified('events')}")
            con.execute(f"CREATE TABLE duplicates AS {duplicates_of('fresh_ids', state.earlier, task.horizon_days)}")
            con.execute(f"CREATE VIEW counted AS {counted_of('events', 'duplicates')}")
            _close_ledger(con, result, known.get("ledger", {}))
            result.cut = cut | result.cut | (source.head or {})
            self._write(state, result)
            con.close()
        return result

    def _write(self, state: State, result: TopicResult) -> None:
        task, known = self.task, self.known
        for rollup in state.rollups:
            try:
                state.add_up(rollup, "counted")
            except duckdb.Error as error:
                raise BatchError(f"rollup '{rollup.name}': {str(error).splitlines()[0]}") from error
        state.save(task.run, "fresh_ids", task.horizon_days)
        texts = {view.name: sha256(view.sql.encode()).hexdigest()[:16] for view in task.views}
        for view in task.views:
            name, path = view.name, f"{view.name}/run={task.run}"
            try:
                same = known.get("views", {}).get(name) == texts[name]
                rows = self._changed_rows(state, view) if same else None
                query = f"SELECT * FROM ({rows or view.sql}) ORDER BY {', '.join(view.key)}"
                count, columns = state.put(query, view_file(path))
            except duckdb.Error as error:
                raise BatchError(f"view '{name}': {str(error).splitlines()[0]}") from error
            result.views[name] = ViewFiles(path, count, columns)
        covers: dict[str, Any] = {
            "source": task.raw.uri,
            "cut": result.cut,
            "ledger": result.ledger,
            "rules": task.rules,
        }
        covers |= self.plan.source.described() | {"views": texts}
        task.output.write(task.inputs(task.run), json.dumps(covers).encode())

    def _changed_rows(self, state: State, view: View) -> str | None:
        """The view's rows: those of the base, but for keys with new events, which are computed.

        None where too many have, or where a row draws on other keys' events.
        """
        con, name, rollups = state.con, view.name, view.rollups(ROLLUPS)
        columns = {r.name: [view.shard_column(r.name) if c == view.shard else c for c in view.key] for r in rollups}
        if view.link or any(not set(columns[r.name]) <= set(r.grain) for r in rollups):
            return None
        changed = " UNION ".join(f"SELECT DISTINCT {', '.join(columns[r.name])} FROM fresh_{r.name}" for r in rollups)
        con.execute(f"CREATE TABLE changed_{name} AS FROM ({changed}) AS c({', '.join(view.key)})")
        local = state.scratch / f"{name}.parquet"
        self.task.output.download(view_file(f"{name}/run={self.task.base}"), local)
        con.execute(f"CREATE VIEW base_{name} AS FROM read_parquet('{local}', hive_partitioning = false)")
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


def _keep_between(con: duckdb.DuckDBPyConnection, cut: dict[str, int], head: dict[str, int]) -> None:
    for partition, first in cut.items():
        con.execute(f'DELETE FROM events WHERE "partition" = {partition} AND "offset" < {first}')
    for partition, end in head.items():
        con.execute(f'DELETE FROM events WHERE "partition" = {partition} AND "offset" >= {end}')


def _reaches_below(con: duckdb.DuckDBPyConnection, cut: dict[str, int]) -> bool:
    lowest = con.execute('SELECT "partition", min("offset") FROM events GROUP BY ALL').fetchall()
    return any(offset < cut.get(str(partition), 0) for partition, offset in lowest)


def _close_ledger(con: duckdb.DuckDBPyConnection, result: TopicResult, earlier: Entries) -> None:
    result.ledger = {partition: dict(entry) for partition, entry in earlier.items()}
    rows = con.execute("""SELECT "partition", max("offset") + 1, count(*), count(fault),
        (SELECT count(*) FROM duplicates d WHERE d."partition" = e."partition"),
        (SELECT count(*) FROM counted c WHERE c."partition" = e."partition")
        FROM events e GROUP BY "partition" ORDER BY "partition" """).fetchall()
    for partition, end, landed, invalid, duplicate, counted in rows:
        fresh = {"landed": landed, "counted": counted, "duplicate": duplicate, "invalid": invalid}
        if landed != counted + duplicate + invalid:
            raise BatchError(f"{result.topic} partition {partition}: ledger must close; got {fresh}")
        result.events += landed
        result.cut[str(partition)] = end
        add_entries(result.ledger, {str(partition): fresh})
