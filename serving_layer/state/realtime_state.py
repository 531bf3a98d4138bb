"""The real-time windows: rollups by the minute of the last days, kept from the deltas of the speed layer."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.at_rest.deltas import Delta, Vector, reaches, trail
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.views.rollups import Rollup
from catalogue.views.windows import ACTIVITY, WINDOW_HOURS, WINDOW_ROLLUPS, WINDOWS
from serving_layer.identity.sight import Sight
from serving_layer.state.local_copies import Fetched
from serving_layer.state.touched_shards import delta_rows

PRUNE_EVERY = 600


def _rollups(topic: str) -> list[Rollup]:
    return [r for r in WINDOW_ROLLUPS.values() if r.topic == topic]


class RealtimeState:
    """Window rollups of every topic, from any deltas that don't overlap, whatever batch runs cover.

    Each topic has a head of its own, and in `since` the moment before which an arrival may be missing: it is that of
    the delta after the last gap, or empty where nothing was ever missing.
    """

    def __init__(self) -> None:
        self.con = connect()
        for rollup in WINDOW_ROLLUPS.values():
            self.con.execute(f"CREATE TABLE {rollup.name} ({rollup.declared})")
        self.con.execute(f"CREATE VIEW activity AS {ACTIVITY}")
        self.heads: dict[str, Vector] = {}
        self.since: dict[str, str] = {}
        self.lock = threading.Lock()
        # Topics whose windows are to be made anew: deltas were missed, or others have overtaken them.
        self.lost: set[str] = set()
        self.applied = 0
        self._clock(dt.datetime.now(dt.UTC), 1)

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """SQL type of each column, by window."""
        with self.lock, closing(self.con.cursor()) as cursor:
            described = {name: cursor.execute(f"DESCRIBE {window.sql}").fetchall() for name, window in WINDOWS.items()}
        return {name: {column[0]: column[1] for column in columns} for name, columns in described.items()}

    def lose(self, topics: Iterable[str]) -> None:
        """Say that the windows of these topics have to be made anew."""
        self.lost |= set(topics)

    def retrace(self, deltas: list[Delta], fetched: Fetched) -> None:
        """Forget the topics that are lost, and take again what the deltas of the last days say of them."""
        limit = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=WINDOW_HOURS)).isoformat()
        recent = [d for d in deltas if d.created_at >= limit]
        trails = {topic: trail(recent, topic) for topic in self.lost}
        wanted: dict[str, tuple[Delta, list[str]]] = {}
        for topic, found in trails.items():
            self._forget(topic)
            for delta in found:
                wanted.setdefault(delta.path, (delta, []))[1].append(topic)
        for delta, touched in wanted.values():
            with fetched(delta) as data, self.lock:
                for topic in touched:
                    self._insert(topic, data)
        with self.lock:
            for topic, found in trails.items():
                for delta in found:
                    self._advance(topic, delta)
        self.lost -= trails.keys()

    def _forget(self, topic: str) -> None:
        with self.lock:
            for rollup in _rollups(topic):
                self.con.execute(f"DELETE FROM {rollup.name}")
            self.heads.pop(topic, None)
            self.since.pop(topic, None)

    def _insert(self, topic: str, data: Path) -> None:
        rollups = _rollups(topic)
        if rollups:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE delta AS {delta_rows(rollups, data)}")
        for rollup in rollups:
            names = ", ".join(rollup.types)
            self.con.execute(f"INSERT INTO {rollup.name} SELECT {names} FROM delta WHERE rollup = '{rollup.name}'")

    def _advance(self, topic: str, delta: Delta) -> None:
        head = self.heads.get(topic)
        if head != delta.starts(topic):
            at_origin = head is None and delta.starts(topic) == delta.origin.get(topic)
            self.since[topic] = "" if at_origin else delta.begun_at or delta.created_at
        self.heads[topic] = delta.ends(topic)

    def apply(self, delta: Delta, data: Path) -> None:
        """Add a delta's windows in the topics where it begins at the head or beyond; lose those that it overtakes."""
        with self.lock:
            for topic in TOPICS:
                if delta.touches(topic) and reaches(delta.starts(topic), self.heads.get(topic, {})):
                    self._insert(topic, data)
                    self._advance(topic, delta)
            self.applied += 1
            if self.applied % PRUNE_EVERY == 0:
                self._prune()
        self.lose(self._overtaken(delta))

    def _overtaken(self, delta: Delta) -> set[str]:
        """Topics in which a delta that overlaps with what is known reaches further."""
        return {
            topic
            for topic, head in self.heads.items()
            if delta.touches(topic) and delta.ends(topic) != head and reaches(delta.ends(topic), head)
        }

    def _prune(self) -> None:
        limit = f"TIMESTAMP '{dt.datetime.now(dt.UTC) - dt.timedelta(hours=WINDOW_HOURS):%Y-%m-%d %H:%M}'"
        for rollup in WINDOW_ROLLUPS.values():
            column = "minute" if "minute" in rollup.grain else "last_seen"
            self.con.execute(f"DELETE FROM {rollup.name} WHERE {column} < {limit}")

    def read(
        self,
        name: str,
        until: dt.datetime,
        minutes: int,
        condition: str,
        values: Iterable[Any],
        sight: Sight,
        over: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[object]] = nullcontext,
    ) -> tuple[pa.Table, dict[str, Any]]:
        """What is seen of a window in the `minutes` that end with that of `until`, in the order of its key.

        With what it covers: the events below `head` that arrived from `complete_from` on (None: all). It may take as
        long as `over` lets its cursor, for which the deltas and other readers wait.
        """
        window = WINDOWS[name]
        words = set(re.findall(r"\w+", window.sql))
        topics = {r.topic for r in WINDOW_ROLLUPS.values() if r.name in words or "activity" in words}
        with self.lock:
            self._clock(until, minutes)
            with closing(self.con.cursor()) as cursor, over(cursor):
                cursor.execute("SET TimeZone = 'UTC'")
                seen = sight.of(cursor, f"({window.sql})")
                query = f"SELECT * FROM {seen} WHERE {condition} ORDER BY {', '.join(window.key)}"
                table = cursor.sql(query, params=list(values)).to_arrow_table()
            covers = {
                "head": {t: dict(h) for t, h in self.heads.items() if t in topics},
                "complete_from": max((self.since.get(t, "") for t in topics), default="") or None,
                "until": until,
            }
            return table, covers

    def _clock(self, until: dt.datetime, minutes: int) -> None:
        end = f"date_trunc('minute', TIMESTAMP '{until.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}')"
        self.con.execute(
            f"CREATE OR REPLACE TABLE clock AS SELECT {end} - to_minutes(i) AS minute FROM range({minutes}) t(i)"
        )
