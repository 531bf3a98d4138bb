"""The real-time windows: rollups by the minute of the last days, kept from the deltas of the speed layer."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from catalogue.deltas import Delta, Vector
from catalogue.events import TOPICS
from catalogue.realtime import ACTIVITY, WINDOW_HOURS, WINDOW_ROLLUPS, WINDOWS
from catalogue.rollups import DIALECT

PRUNE_EVERY = 600


class RealtimeState:
    """Window rollups of every topic, each up to its own head; deltas that don't follow on are left out."""

    def __init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("SET TimeZone = 'UTC'")
        for statement in DIALECT:
            self.con.execute(statement)
        for rollup in WINDOW_ROLLUPS.values():
            columns = ", ".join(f"{name} {kind}" for name, kind in rollup.types.items())
            self.con.execute(f"CREATE TABLE {rollup.name} ({columns})")
        self.con.execute(f"CREATE VIEW activity AS {ACTIVITY}")
        self.heads: dict[str, Vector] = {}
        self.lock = threading.Lock()
        self.applied = 0
        self._clock(dt.datetime.now(dt.UTC), 1)
        # SQL type of each column, by window.
        self.columns = {name: self._types(window.sql) for name, window in WINDOWS.items()}

    def _types(self, sql: str) -> dict[str, str]:
        return {column[0]: column[1] for column in self.con.execute(f"DESCRIBE {sql}").fetchall()}

    def start(self, topic: str, head: Vector) -> None:
        """Forget the topic and go on from `head`."""
        with self.lock:
            for rollup in (r for r in WINDOW_ROLLUPS.values() if r.topic == topic):
                self.con.execute(f"DELETE FROM {rollup.name}")
            self.heads[topic] = head

    def apply(self, delta: Delta, data: Path) -> None:
        """Add a delta's windows in the topics that it goes on with."""
        with self.lock:
            for topic in TOPICS:
                if not delta.touches(topic) or topic not in self.heads or not delta.follows(topic, self.heads[topic]):
                    continue
                for rollup in (r for r in WINDOW_ROLLUPS.values() if r.topic == topic):
                    self.con.execute(
                        f"INSERT INTO {rollup.name} SELECT {', '.join(rollup.types)} FROM read_parquet('{data}') "
                        f"WHERE rollup = '{rollup.name}'"
                    )
                self.heads[topic] = delta.ends(topic)
            self.applied += 1
            if self.applied % PRUNE_EVERY == 0:
                self._prune()

    def _prune(self) -> None:
        limit = f"TIMESTAMP '{dt.datetime.now(dt.UTC) - dt.timedelta(hours=WINDOW_HOURS):%Y-%m-%d %H:%M}'"
        for rollup in WINDOW_ROLLUPS.values():
            column = "minute" if "minute" in rollup.grain else "last_seen"
            self.con.execute(f"DELETE FROM {rollup.name} WHERE {column} < {limit}")

    def read(self, name: str, until: dt.datetime, minutes: int, condition: str, values: Iterable) -> pa.Table:
        """The window's rows of the `minutes` that end with that of `until`, in the order of its key."""
        window = WINDOWS[name]
        with self.lock:
            self._clock(until, minutes)
            query = f"SELECT * FROM ({window.sql}) WHERE {condition} ORDER BY {', '.join(window.key)}"
            return self.con.sql(query, params=list(values)).to_arrow_table()

    def _clock(self, until: dt.datetime, minutes: int) -> None:
        end = f"date_trunc('minute', TIMESTAMP '{until.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}')"
        self.con.execute(
            f"CREATE OR REPLACE TABLE clock AS SELECT {end} - to_minutes(i) AS minute FROM range({minutes}) t(i)"
        )
