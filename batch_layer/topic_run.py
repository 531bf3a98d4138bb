"""One topic's part of a batch run: the raw events that are new, merged into its state; its views from the state.

The state of a run stands under `_state/<topic>/run=<id>/` (`state.py`), with `inputs.json`, which says what was read and
by which rules.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import duckdb

from batch_layer.config import COMPRESSION, ROWS_PER_CHANGED
from batch_layer.raw_input import RawInput
from batch_layer.raw_table import UnreadableFile, fetch, load, unreadable_lines
from batch_layer.state import State
from catalogue.at_rest.ledger import Entries, add_entries
from catalogue.at_rest.runs import ViewFiles, state_folder, view_file
from catalogue.sql.dialect import connect
from catalogue.sql.duplicates import mark_duplicates
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.fingerprint import fingerprint
from catalogue.views.view import View
from runtime.storage.store import Entry, StorageError, Store


class BatchError(Exception):
    """A topic or view that could not be computed, named, with its cause."""


@dataclass
class TopicResult:
    """What a topic's part of a run covers and wrote; `cut` (exclusive) and `ledger` are by partition.

    `base` is the run whose state it went on from, None where it read everything.
    """

    topic: str
    run: str
    base: str | None = None
    cut: dict[str, int] = field(default_factory=dict)
    ledger: Entries = field(default_factory=dict)
    views: dict[str, ViewFiles] = field(default_factory=dict)
    events: int = 0
    unreadable_lines: int = 0
    seconds: float = 0.0

    def as_json(self) -> bytes:
        """The result as it is staged."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of_json(cls, text: bytes) -> TopicResult:
        """The result that was staged as `text`."""
        found = json.loads(text)
        return cls(**{**found, "views": {name: ViewFiles(**view) for name, view in found["views"].items()}})


@dataclass(frozen=True)
class TopicRun:
    """One topic's task: `base` is the published run to go on from, None to recompute from raw.

    It is also recomputed where the input isn't the one that the base had read, or the catalogue has changed since.

    `limit` is where to cut (exclusive, by partition); None takes everything that is there.

    `memory` is what DuckDB takes before it spills to disk, as in 1500MB; None leaves that to DuckDB.
    """

    topic: str
    run: str
    base: str | None
    raw: Store
    output: Store
    horizon_days: int
    limit: dict[str, int] | None = None
    memory: str | None = None

    def compute(self) -> TopicResult | None:
        """Do the task; None where nothing is new since `base`. Raises BatchError and StorageError."""
        started = time.monotonic()
        result = self._computed()
        if result:
            result.seconds = time.monotonic() - started
        return result

    def new_bytes(self) -> int | None:
        """About how many bytes of raw events there are to read on top of the base; None where all have to be read."""
        try:
            _, files, _ = self._plan
        except (ValueError, OSError, StorageError):
            return None  # `compute` says what is wrong
        if files is None:
            return None
        return sum(e.size if e.path.endswith(".json") else e.size * COMPRESSION for e in files)

    @cached_property
    def _plan(self) -> tuple[RawInput, tuple[Entry, ...] | None, dict]:
        """The input, the files of it to read on top of the base (None: all have to be read), what the base had read."""
        source = RawInput.of(self.raw, self.topic, self.limit)
        if self.base is None:
            return source, None, {}
        known = json.loads(self.output.read(f"{self._state(self.base)}/inputs.json"))
        same = known["source"] == self.raw.uri and known.get("rules") == self._rules() and "views" in known
        return source, source.since(known, known["cut"]) if same else None, known

    def _computed(self) -> TopicResult | None:
        try:
            source, files, known = self._plan
            if files == ():
                return None
            result = self._attempt(source, files, known) if files is not None else None
            if result:
                return result if result.cut else None
            return self._attempt(source, source.files, None)
        except (UnreadableFile, ValueError) as error:
            raise BatchError(str(error)) from error

    def _rules(self) -> str:
        return fingerprint((r for r in ROLLUPS.values() if r.topic == self.topic), self.horizon_days)

    def _state(self, run: str) -> str:
        return state_folder(self.topic, run)

    def _attempt(self, source: RawInput, files: tuple[Entry, ...], known: dict | None) -> TopicResult | None:
        """A result from `files` on top of the state that `known` describes, with an empty cut where nothing is new.

        None if the files reach below the known cut in a way that can't be told apart.
        """
        con = connect()
        result = TopicResult(self.topic, self.run, self.base if known else None)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            con.execute(f"SET temp_directory = '{folder}'")
            if self.memory:
                con.execute(f"SET memory_limit = '{self.memory}'")
            local = fetch(self.raw, files, scratch)
            result.unreadable_lines = load(con, self.topic, local)
            cut = known["cut"] if known else {}
            if source.head is not None:
                # A cut may stand inside of a file: its events below the last one are counted, those beyond this one wait.
                _keep_between(con, cut, source.head)
                if known and source.head == cut:
                    return result
            elif _reaches_below(con, cut):
                return None
            if result.unreadable_lines:
                lines = unreadable_lines(con, self.topic, local)
                data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
                self.output.write(f"_unreadable/topic={self.topic}/run={self.run}.json", data)
            for path in local:
                path.unlink()
            state = State(con, self.topic, self.output, scratch, self.base if known else None)
            mark_duplicates(con, self.horizon_days)
            _close_ledger(con, result, known["ledger"] if known else {})
            result.cut = cut | result.cut | (source.head or {})
            self._write(state, source, result, known)
            con.close()
        return result

    def _write(self, state: State, source: RawInput, result: TopicResult, known: dict | None) -> None:
        for rollup in state.rollups:
            try:
                state.add_up(rollup)
            except duckdb.Error as error:
                raise BatchError(f"rollup '{rollup.name}': {str(error).splitlines()[0]}") from error
        state.save(self.run, self.horizon_days)
        views = {v.name: v for v in VIEWS.values() if v.topic == self.topic}
        texts = {name: sha256(view.sql.encode()).hexdigest()[:16] for name, view in views.items()}
        for name, view in views.items():
            path = f"{name}/run={self.run}"
            try:
                same = known is not None and known.get("views", {}).get(name) == texts[name]
                rows = self._changed_rows(state, view) if same else None
                query = f"SELECT * FROM ({rows or view.sql}) ORDER BY {', '.join(view.key)}"
                count, columns = state.put(query, view_file(path))
            except duckdb.Error as error:
                raise BatchError(f"view '{name}': {str(error).splitlines()[0]}") from error
            result.views[name] = ViewFiles(path, count, columns)
        covers = {"source": self.raw.uri, "cut": result.cut, "ledger": result.ledger, "rules": self._rules()}
        covers |= source.described() | {"views": texts}
        self.output.write(f"{self._state(self.run)}/inputs.json", json.dumps(covers).encode())

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
        self.output.download(view_file(f"{name}/run={self.base}"), local)
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
