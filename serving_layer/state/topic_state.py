"""One topic's merged state: a batch run's rollups and views, and the deltas from its cut on.

The state is a DuckDB database of its own in a scratch folder, so that it may be larger than memory and vanishes as a
whole. Deltas are appended to the rollups. A view is brought up to date when it is asked for: only the shards (a user, a
day) that deltas have touched since are computed again, by the same SELECT as in the batch layer. Every read is one
transaction, which sees the rows and the number of the last delta in them together.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from catalogue.at_rest.deltas import Delta, Vector, chain
from catalogue.at_rest.ledger import Entries, add_entries
from catalogue.at_rest.runs import RunManifest, state_files
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect, rows_of
from catalogue.views import ROLLUPS, VIEWS
from runtime.settings import Settings
from runtime.storage.store import Store
from runtime.timestamps import written
from serving_layer.state.local_copies import copy_view, fetched, naming_object
from serving_layer.state.person_index import PersonIndex
from serving_layer.state.person_rows import PersonRows
from serving_layer.state.relation import Relation
from serving_layer.state.touched_shards import delta_rows, known_links, linked_shards, new_links, own_shards
from serving_layer.state.view_sql import select, select_shards

# What batch and speed account for in the same way.
FATES = ("landed", "counted", "duplicate", "invalid", "erased")
# Beyond so many shards of a view, computing everything is cheaper than computing the touched ones.
MOST_TOUCHED = 20_000
# Each topic's state has a part of the memory like its part of the events, but not less than so many bytes: below,
# DuckDB can't answer at all.
LEAST_MEMORY = 48 * 2**20
HIT = "(SELECT v FROM hit)"


class TopicState:
    """The merged state of `topic` over batch run `run` (None before the first), up to `head` (exclusive)."""

    def __init__(self, topic: str, current: RunManifest, batch: Store, settings: Settings):
        self.topic, self.run = topic, current.state.get(topic)
        self.cut: Vector = current.cut.get(topic, {})
        self.ledger: Entries = {}
        add_entries(self.ledger, current.ledger.get(topic, {}))
        self.rollups = tuple(r for r in ROLLUPS.values() if r.topic == topic)
        self.views = {v.name: v for v in VIEWS.values() if v.topic == topic}
        self.watermark = self.batch_watermark = ""
        self.applied = 0
        self.heads: dict[int, Vector] = {0: dict(self.cut)}
        # The last delta that changed each view, where one has.
        self.changed: dict[str, int] = {}
        self.folder = Path(tempfile.mkdtemp(prefix=f"serving-{topic}-"))
        self.con = connect(
            str(self.folder / "state.duckdb"),
            threads=2,
            memory_limit=f"{max(settings.serving_bytes * TOPICS[topic].share, LEAST_MEMORY) / 2**20:.0f}MiB",
            temp_directory=str(self.folder / "spill"),
        )
        self.writing = threading.Lock()
        self._holders, self._holding = 1, threading.Lock()
        self.persons: dict[str, PersonRows] = {}
        # Views whose tables were read since the last delta: the next one becomes visible with them up to date, so that
        # who looks at a view all the time never waits for it.
        self._asked: set[str] = set()
        try:
            self._load(current, batch)
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> Vector:
        """First offsets that the answers don't cover."""
        return self.heads[self.applied]

    def _load(self, current: RunManifest, batch: Store) -> None:
        con = self.con
        con.execute("PRAGMA disable_checkpoint_on_shutdown")  # the file goes with this process
        con.execute("BEGIN")
        con.execute("CREATE TABLE applied AS SELECT 0::BIGINT AS n")
        con.execute("CREATE TABLE refreshed (view VARCHAR, n BIGINT)")
        for rollup in self.rollups:
            con.execute(f"CREATE TABLE base_{rollup.name} ({rollup.declared})")
            con.execute(f"CREATE TABLE speed_{rollup.name} ({rollup.declared})")
            insert = f"INSERT INTO base_{rollup.name} BY NAME FROM {{}} ORDER BY {rollup.shard}"
            self._of_parts(batch, rollup.name, insert)
        newest = [moment for moment in self._of_parts(batch, "ids", "SELECT max(kafka_ts) FROM {}") if moment]
        self.watermark = self.batch_watermark = written(max(newest)) if newest else ""
        for view in self.views.values():
            con.execute(f"INSERT INTO refreshed VALUES ('{view.name}', 0)")
            files = current.views.get(view.name) if self.run else None
            if files:
                local = self.folder / f"{view.name}.parquet"
                copy_view(batch, files, local)
                with naming_object(batch, files.files[0], local):
                    con.execute(f"CREATE VIEW batch_{view.name} AS FROM {rows_of(local)}")
                    if view.shard in ("user_id", "student_id"):
                        lookup = PersonIndex(local, view.shard, self.folder / f"{view.name}.arrow")
                        self.persons[view.name] = PersonRows(lookup)
            else:
                con.execute(f"CREATE VIEW batch_{view.name} AS {select(view, 'base')}")
            con.execute(
                f"CREATE TABLE view_{view.name} AS SELECT * FROM batch_{view.name} ORDER BY {', '.join(view.key)}"
            )
            con.execute(
                f"CREATE TABLE touched_{view.name} AS SELECT 0::BIGINT AS n, {view.shard} AS v "
                f"FROM view_{view.name} LIMIT 0"
            )
            if view.link_grain:
                con.execute(f"CREATE TABLE links_{view.name} AS {known_links(view)}")
        con.execute("COMMIT")
        con.execute("CHECKPOINT")

    def _of_parts(self, batch: Store, name: str, statement: str) -> list[Any]:
        """What a statement says of each part of the run's state of a rollup, or of the ids."""
        found = []
        for path in state_files(batch, self.topic, self.run, name) if self.run else ():
            with fetched(batch, path, self.folder / Path(path).name) as local:
                found.append(self.con.execute(statement.format(rows_of(local))).fetchall()[0][0])
        return found

    def apply(self, delta: Delta, data: Path) -> None:
        """Append a delta that begins at `head`; its rollups are in `data`. All of it becomes visible, or nothing."""
        number = delta.last
        with self.writing:
            cursor = self.con.cursor()
            cursor.execute("BEGIN")
            try:
                cursor.execute(f"CREATE TEMP TABLE delta AS {delta_rows(self.rollups, data)}")
                present = {row[0] for row in cursor.execute("SELECT DISTINCT rollup FROM delta").fetchall()}
                fresh = self._touch(cursor, present, number)
                for rollup in self.rollups:
                    if rollup.name in present:
                        names = ", ".join(rollup.types)
                        cursor.execute(
                            f"INSERT INTO speed_{rollup.name} SELECT {names} FROM delta WHERE rollup = '{rollup.name}'"
                        )
                cursor.execute("DROP TABLE delta")
                cursor.execute(f"UPDATE applied SET n = {number}")
                asked, self._asked = self._asked, set()
                for name in asked & fresh.keys():
                    self._refresh(cursor, name)
                self.heads[number] = delta.ends(self.topic)
                # Before the commit, so that a reader never takes a touched row for an untouched one.
                for name, values in fresh.items():
                    if name in self.persons:
                        self.persons[name].touch(values, number)
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            finally:
                cursor.close()
            self.changed |= dict.fromkeys(fresh, number)
            self.applied = number
            self._account(delta)

    def _touch(self, cursor: Any, present: set[str], number: int) -> dict[str, set[str]]:
        """Note which shards a delta of the rollups `present` changes; those of each view with a look-up by person."""
        read = ((view, [r for r in view.rollups(ROLLUPS) if r.name in present]) for view in self.views.values())
        changed = [(view, rollups) for view, rollups in read if rollups]
        if not changed:
            return {}
        linked = [(view, rollups) for view, rollups in changed if view.link]
        both = " UNION ".join((own_shards(changed), *(linked_shards(*one) for one in linked)))
        cursor.execute(f"CREATE TEMP TABLE shards AS FROM ({both}) AS s(view, v)")
        for view, _ in changed:
            cursor.execute(f"INSERT INTO touched_{view.name} SELECT {number}, v FROM shards WHERE view = '{view.name}'")
        for view, rollups in linked:
            if view.link_grain:
                cursor.execute(f"INSERT INTO links_{view.name} {new_links(view, rollups)}")
        fresh: dict[str, set[str]] = {view.name: set() for view, _ in changed}
        for name, shard in cursor.execute("FROM shards").fetchall():
            if name in self.persons:
                fresh[name].add(shard)
        cursor.execute("DROP TABLE shards")
        return fresh

    def _account(self, delta: Delta) -> None:
        for partition, entry in delta.ledger.get(self.topic, {}).items():
            add_entries(self.ledger, {partition: {fate: entry.get(fate, 0) for fate in FATES}})
        self.watermark = max(self.watermark, delta.newest.get(self.topic, ""))

    def refresh(self, name: str) -> None:
        """Bring a view's table up to date with the deltas that were applied."""
        with self.writing:
            cursor = self.con.cursor()
            try:
                cursor.execute("BEGIN")
                self._refresh(cursor, name)
                cursor.execute("COMMIT")
            finally:
                cursor.close()

    def _refresh(self, cursor: Any, name: str) -> None:
        view = self.views[name]
        number, done = self.numbers(cursor, name)
        if done == number:
            return
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE hit AS SELECT DISTINCT v FROM touched_{name} WHERE n > {done}")
        hits = cursor.execute("SELECT count(*) FROM hit").fetchall()[0][0]
        if hits > MOST_TOUCHED:
            cursor.execute(f"DELETE FROM view_{name}")
            cursor.execute(f"INSERT INTO view_{name} {select(view)} ORDER BY {', '.join(view.key)}")
        elif hits:
            cursor.execute(f"DELETE FROM view_{name} WHERE {view.shard} IN (SELECT v FROM hit)")
            cursor.execute(f"INSERT INTO view_{name} {select_shards(view, HIT)}")
        cursor.execute(f"DELETE FROM touched_{name}")
        cursor.execute(f"UPDATE refreshed SET n = {number} WHERE view = '{name}'")

    def compute_ahead(self, name: str) -> None:
        """Compute the rows of persons whom deltas have touched, so that they are found without a query."""
        view, persons = self.views[name], self.persons[name]
        cursor = self.con.cursor()
        try:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("BEGIN")
            number = cursor.execute("SELECT n FROM applied").fetchall()[0][0]
            stale = persons.stale(number)
            cursor.execute("CREATE TEMP TABLE hit AS SELECT unnest(?::VARCHAR[]) AS v", [stale])
            rows = cursor.sql(f"SELECT * FROM ({select_shards(view, HIT)}) ORDER BY {', '.join(view.key)}")
            persons.keep(number, stale, rows.to_arrow_table())
        finally:
            cursor.close()

    @staticmethod
    def numbers(cursor: duckdb.DuckDBPyConnection, name: str) -> tuple[int, int]:
        """The last delta in a transaction that has begun, and the last that is in the view's table."""
        sql = f"SELECT applied.n, refreshed.n FROM applied, refreshed WHERE view = '{name}'"
        applied, refreshed = cursor.execute(sql).fetchall()[0]
        return applied, refreshed

    def relation(
        self, cursor: duckdb.DuckDBPyConnection, name: str, layer: str, is_refreshed: bool, shard: Any = None
    ) -> Relation | None:
        """A view's rows as of the last delta; None where the view has to be refreshed first.

        With `shard`, only the rows of that shard are needed, which are computed at once.
        """
        view = self.views[name]
        if layer == "batch":
            return Relation(f"batch_{name}")
        if layer == "speed":
            return Relation(select(view, "speed"), computed=True)
        if shard is None:
            self._asked.add(name)
        if is_refreshed:
            return Relation(f"view_{name}")
        if shard is None:
            return None
        text = "'" + str(shard).replace("'", "''") + "'"
        if cursor.execute(f"SELECT 1 FROM touched_{name} WHERE v = {text} LIMIT 1").fetchall():
            return Relation(select_shards(view, f"({text})"), computed=True)
        return Relation(f"view_{name}")

    def figures(self) -> tuple[Vector, Entries, dict[str, int]]:
        """Head and ledger after the same delta, and rows of each view's table as it was last refreshed."""
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM view_{name}" for name in self.views)
        with self.writing:
            head, ledger = dict(self.head), {p: dict(entry) for p, entry in self.ledger.items()}
        cursor = self.con.cursor()
        try:
            return head, ledger, dict(cursor.execute(counts).fetchall())
        finally:
            cursor.close()

    def answers(self, current: RunManifest, deltas: Iterable[Delta]) -> bool:
        """Whether it is what a state over this run would come to be: of the same run's state, and led on from its cut
        by deltas that are still there.
        """
        if self.run != current.state.get(self.topic) or self.cut != current.cut.get(self.topic, {}):
            return False
        head = self.head
        return head == self.cut or any(d.ends(self.topic) == head for d in chain(deltas, self.topic, self.cut))

    def hold(self) -> bool:
        """Keep it for one more generation; False where it is dropped already."""
        with self._holding:
            self._holders += self._holders > 0
            return self._holders > 0

    def close(self) -> None:
        """Let go of it; the last holder drops it."""
        with self._holding:
            self._holders -= 1
            if self._holders:
                return
        self.con.close()
        shutil.rmtree(self.folder, ignore_errors=True)
