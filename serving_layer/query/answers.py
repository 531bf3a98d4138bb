"""From a query to its answer: which rows, in which state, and what they cover."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.sql.statements import arrow
from serving_layer.identity.sight import Sight
from serving_layer.query import cursors
from serving_layer.query.coverage import Coverage
from serving_layer.query.deadlines import Deadlines
from serving_layer.query.query import Query
from serving_layer.query.snapshots import Snapshot, Snapshots
from serving_layer.state.generation import Generation
from serving_layer.state.topic_state import TopicState


@dataclass
class Answer:
    """A page: rows or a table, how many rows there are on all pages, the next page's cursor, what it covers."""

    rows: list[dict[str, Any]] | pa.Table
    total: int
    next: str | None
    as_of: bytes

    def persons(self, column: str) -> Iterable[str | None]:
        """Whose rows these are, by the column that names the person."""
        if isinstance(self.rows, list):
            return (row[column] for row in self.rows)
        named: list[str | None] = self.rows[column].unique().to_pylist()
        return named


def count(cursor: duckdb.DuckDBPyConnection, relation: str, query: Query) -> int:
    """How many rows of `relation` the query's filters leave, on all pages."""
    condition, values = query.where()
    found: int = cursor.execute(f"SELECT count(*) FROM {relation} WHERE {condition}", values).fetchall()[0][0]
    return found


def page(cursor: duckdb.DuckDBPyConnection, relation: str, query: Query) -> tuple[pa.Table, dict[str, Any] | None]:
    """The rows of the query's page of `relation`, and the last of them where another page follows."""
    sql, values = query.page(relation)
    table = arrow(cursor, sql, values)
    if len(table) <= query.limit:
        return table, None
    table = table.slice(0, query.limit)
    return table, table.slice(query.limit - 1).to_pylist()[0]


def first_page(
    cursor: duckdb.DuckDBPyConnection, relation: str, query: Query
) -> tuple[pa.Table, dict[str, Any] | None, int]:
    """A page, its last row where another follows, and how many rows there are on all pages: counted if it is another
    number.
    """
    table, last = page(cursor, relation, query)
    is_whole = last is None and query.after is None
    return table, last, len(table) if is_whole else count(cursor, relation, query)


def answer(table: pa.Table, total: int, following: str | None, as_of: bytes, query: Query) -> Answer:
    """The answer of a page in the query's format."""
    return Answer(table.to_pylist() if query.format == "json" else table, total, following, as_of)


class Answers:
    """Answers queries on views from a generation."""

    def __init__(self, coverage: Coverage, deadlines: Deadlines | None = None):
        self.coverage, self.snapshots, self.deadlines = coverage, Snapshots(), deadlines or Deadlines(math.inf)

    def quick(self, generation: Generation, topic: str, view: str, query: Query, sight: Sight) -> Answer | None:
        """The rows of one person, where they are at hand; None where a query is needed."""
        state = generation.topics[topic]
        persons = state.persons.get(view)
        if (
            persons is None
            or not query.plain
            or query.layer == "speed"
            or query.format != "json"
            or len(query.filters) != 1
            or sight.pseudonym
        ):
            return None
        shard, number = state.views[view].shard, state.applied
        value = query.equal_to(shard)
        looked_up = sight.looked_up(shard, value)
        rows = None if value is None else persons.rows(looked_up, query.layer, number)
        if rows is None:
            return None
        rows = sight.rows(rows) if looked_up == value else []
        if len(rows) > query.limit:  # pages have to agree: they need a snapshot
            return None
        return Answer(rows, len(rows), None, self.coverage.as_of(generation, topic, number, query.layer))

    def page(self, generation: Generation, topic: str, view: str, query: Query, sight: Sight) -> Answer:
        """A page of what is seen of a view, by a query."""
        held = self.snapshots.get(query.snapshot, view, sight)
        if held:
            with held.lock:
                if not held.closed:
                    as_of = self.coverage.as_of(held.generation, topic, held.number, query.layer)
                    with self.deadlines.over(held.cursor):
                        table, last = page(held.cursor, held.relation, query)
                    following = cursors.encoded(query, last, query.snapshot) if last else None
                    return answer(table, held.total, following, as_of, query)
        return self._first(generation, topic, view, query, sight)

    def _first(self, generation: Generation, topic: str, view: str, query: Query, sight: Sight) -> Answer:
        """A page that reads the state of now, which is kept where another page follows."""
        state = generation.topics[topic]
        cursor = state.con.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        kept = False
        try:
            with self.deadlines.over(cursor):
                relation, number = self._begun(cursor, state, view, query, sight)
                relation = sight.of(cursor, relation)
                table, last, total = first_page(cursor, relation, query)
            following = None
            if last:
                kept = True
                token = self.snapshots.keep(Snapshot(cursor, generation, view, sight, relation, number, total))
                following = cursors.encoded(query, last, token)
            return answer(table, total, following, self.coverage.as_of(generation, topic, number, query.layer), query)
        finally:
            if not kept:
                cursor.close()

    def _begun(
        self, cursor: duckdb.DuckDBPyConnection, state: TopicState, view: str, query: Query, sight: Sight
    ) -> tuple[str, int]:
        """Where the rows are, in a transaction that has just begun, and the number of the last delta in them."""
        column = state.views[view].shard
        shard = None if sight.pseudonym else query.equal_to(column)
        if shard is not None:
            shard = sight.looked_up(column, shard)
        while True:
            cursor.execute("BEGIN")
            number, refreshed = state.numbers(cursor, view)
            relation = state.relation(cursor, view, query.layer, number == refreshed, shard)
            if relation is not None:
                return relation.name(cursor), number
            cursor.execute("ROLLBACK")
            state.refresh(view)
