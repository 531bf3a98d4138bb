"""From a query to its answer: which rows, in which state, and what they cover."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from serving_layer.formats import json_bytes
from serving_layer.query import Query
from serving_layer.state import Generation, ServingState
from serving_layer.topic_state import TopicState

SNAPSHOT_SECONDS = 60.0
MOST_SNAPSHOTS = 64


@dataclass
class Answer:
    """A page: rows or a table, how many rows there are on all pages, the next page's cursor, what it covers."""

    rows: list[dict[str, Any]] | pa.Table
    total: int
    next: str | None
    as_of: bytes


def count(cursor: duckdb.DuckDBPyConnection, relation: str, query: Query) -> int:
    """How many rows of `relation` the query's filters leave, on all pages."""
    condition, values = query.where()
    return cursor.execute(f"SELECT count(*) FROM {relation} WHERE {condition}", values).fetchall()[0][0]


def read(cursor: duckdb.DuckDBPyConnection, relation: str, query: Query, total: int, as_of: bytes) -> Answer:
    """The query's page of `relation`; the next one reads the same snapshot."""
    sql, values = query.page(relation)
    table = cursor.sql(sql, params=values).to_arrow_table()
    following = None
    if len(table) > query.limit:
        table = table.slice(0, query.limit)
        following = query.cursor(table.slice(query.limit - 1).to_pylist()[0], query.snapshot)
    return Answer(table.to_pylist() if query.format == "json" else table, total, following, as_of)


@dataclass
class Snapshot:
    """An open transaction that later pages of a query read, so that they agree with the first."""

    cursor: duckdb.DuckDBPyConnection
    generation: Generation
    view: str
    relation: str
    number: int
    total: int
    until: float
    lock: threading.Lock
    closed: bool = False


class Answers:
    """Answers queries on views from the serving state."""

    def __init__(self, state: ServingState):
        self.state = state
        self.snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self.lock = threading.Lock()

    def quick(self, generation: Generation, topic: str, view: str, query: Query) -> Answer | None:
        """The rows of one person, where they are at hand; None where a query is needed."""
        state = generation.topics[topic]
        persons = state.persons.get(view)
        if (
            persons is None
            or not query.plain
            or query.layer == "speed"
            or query.format != "json"
            or len(query.filters) != 1
        ):
            return None
        value = query.equal_to(state.views[view].shard)
        number = state.applied
        rows = None if value is None else persons.rows(value, query.layer, number)
        if rows is None or len(rows) > query.limit:  # pages have to agree: they need a snapshot
            return None
        return Answer(rows, len(rows), None, self.as_of(generation, topic, number, query.layer))

    def page(self, generation: Generation, topic: str, view: str, query: Query) -> Answer:
        """A page of a view, by a query."""
        held = self._held(query)
        if held and held.view == view:
            with held.lock:
                if held.closed:
                    return self.page(generation, topic, view, query)
                as_of = self.as_of(held.generation, topic, held.number, query.layer)
                return read(held.cursor, held.relation, query, held.total, as_of)
        state = generation.topics[topic]
        cursor = state.con.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        kept = False
        try:
            relation, number = self._relation(cursor, state, view, query)
            total = count(cursor, relation, query)
            answer = read(cursor, relation, query, total, self.as_of(generation, topic, number, query.layer))
            if answer.next:
                kept = True
                token = self._keep(Snapshot(cursor, generation, view, relation, number, total, 0.0, threading.Lock()))
                rows = (
                    answer.rows
                    if isinstance(answer.rows, list)
                    else answer.rows.slice(len(answer.rows) - 1).to_pylist()
                )
                answer.next = query.cursor(rows[-1], token)
            return answer
        finally:
            if not kept:
                cursor.close()

    def _relation(
        self, cursor: duckdb.DuckDBPyConnection, state: TopicState, view: str, query: Query
    ) -> tuple[str, int]:
        """Where the rows are, in a transaction that has just begun, and the number of the last delta in them."""
        shard = query.equal_to(state.views[view].shard)
        while True:
            cursor.execute("BEGIN")
            number = cursor.execute("SELECT n FROM applied").fetchall()[0][0]
            relation = state.relation(cursor, view, query.layer, number, shard)
            if relation is not None:
                break
            cursor.execute("ROLLBACK")
            state.refresh(view)
        if relation.startswith("("):
            cursor.execute(f"CREATE TEMP TABLE answer AS SELECT * FROM {relation}")
            relation = "answer"
        return relation, number

    def _held(self, query: Query) -> Snapshot | None:
        with self.lock:
            snapshot = self.snapshots.get(query.snapshot)
            if snapshot:
                snapshot.until = time.monotonic() + SNAPSHOT_SECONDS
        return snapshot

    def _keep(self, snapshot: Snapshot) -> str:
        token = uuid.uuid4().hex[:16]
        snapshot.until = time.monotonic() + SNAPSHOT_SECONDS
        snapshot.generation.enter(reading=True)
        with self.lock:
            self.snapshots[token] = snapshot
        self.drop_old()
        return token

    def drop_old(self, everything: bool = False) -> None:
        """Close the snapshots that nobody asked for lately."""
        with self.lock:
            now = time.monotonic()
            old = [t for t, s in self.snapshots.items() if everything or s.until < now]
            old += [t for t in list(self.snapshots)[: max(0, len(self.snapshots) - MOST_SNAPSHOTS)] if t not in old]
            dropped = [self.snapshots.pop(token) for token in old]
        for snapshot in dropped:
            with snapshot.lock:
                snapshot.closed = True
                snapshot.cursor.close()
            snapshot.generation.leave()

    def as_of(self, generation: Generation, topic: str, number: int, layer: str = "merged") -> bytes:
        """What an answer from `topic` at delta `number` covers, as JSON; of the batch layer, nothing beyond the cut."""
        batch = layer == "batch"
        key = () if batch else tuple(number if t == topic else s.applied for t, s in generation.topics.items())
        covers = generation.described.get(key)
        if covers is None:
            cuts = {t: s.cut for t, s in generation.topics.items()}
            heads = cuts
            if not batch:
                at = zip(generation.topics.items(), key, strict=True)
                heads = {t: dict(s.heads.get(n, s.head)) for (t, s), n in at}
            covers = json_bytes({"run": generation.run, "cut": cuts, "head": heads})[:-1]
            if len(generation.described) > 64:
                generation.described.clear()
            generation.described[key] = covers
        watermark, lag = self.freshness(generation, topic, batch)
        return covers + b',"watermark":' + json_bytes(watermark) + b',"lag_seconds":' + json_bytes(lag) + b"}"

    def freshness(self, generation: Generation, topic: str, batch: bool = False) -> tuple[str | None, float | None]:
        """The newest arrival that is covered, and for how many seconds later ones may be missing; None: unknown.

        Nothing is missing up to the moment at which the speed layer last saw Kafka end where the answer does.
        """
        state = generation.topics[topic]
        watermark, head = (state.batch_watermark, state.cut) if batch else (state.watermark, state.head)
        known = watermark
        alive = self.state.alive
        ends = alive.kafka.get(topic) if alive else None
        if alive and ends is not None and all(end <= head.get(p, 0) for p, end in ends.items()):
            known = max(known, alive.at)
        if not known:
            return None, None
        lag = (datetime.now(UTC) - datetime.fromisoformat(known)).total_seconds()
        return watermark or None, round(max(0.0, lag), 3)
