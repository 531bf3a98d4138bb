"""What of the served state a database lacks: read from one state of all topics, however long the reading takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.at_rest.deltas import Vector
from catalogue.views.view import View
from serving_layer.projection.text import written_sql
from serving_layer.state.generation import Generation
from serving_layer.state.served import Served
from serving_layer.state.topic_state import TopicState

# Of more shards than this it is cheaper to compare everything.
MOST_SHARDS = 20_000
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Taken:
    """Which state was read: a generation, and the last delta in each of its topics."""

    generation: Generation
    numbers: dict[str, int]


@dataclass(frozen=True)
class Part:
    """Rows of a view: all of them where `whole`, else all those of the shards that may have changed."""

    view: View
    whole: bool
    cursor: duckdb.DuckDBPyConnection = field(repr=False)

    def rows(self, kinds: dict[str, str]) -> Iterator[tuple[Any, ...]]:
        """The rows, with columns as in `kinds`, their SQL types; texts as PostgreSQL can hold them."""
        columns = ", ".join(
            (written_sql(column) if kind == "VARCHAR" else column) + f" AS {column}" for column, kind in kinds.items()
        )
        chosen = "" if self.whole else f" WHERE {self.view.shard} IN (SELECT v FROM hit_{self.view.name})"
        return self._read(f"SELECT {columns} FROM view_{self.view.name}{chosen}")

    def shards(self, kind: str) -> Iterator[tuple[Any, ...]]:
        """The shards that may have changed, each as a row; `kind` is their SQL type."""
        return self._read(f"SELECT {written_sql('v') if kind == 'VARCHAR' else 'v'} FROM hit_{self.view.name}")

    def _read(self, sql: str) -> Iterator[tuple[Any, ...]]:
        batches: pa.RecordBatchReader = self.cursor.sql(sql).to_arrow_reader(ROWS_AT_ONCE)
        for batch in batches:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@dataclass(frozen=True)
class Excerpt:
    """The parts that may have changed, and what the state that they are of covers."""

    taken: Taken
    parts: list[Part]
    run: str | None
    cut: dict[str, Vector]
    head: dict[str, Vector]
    watermark: str | None


@contextmanager
def excerpt(served: Served, before: Taken | None) -> Iterator[Excerpt | None]:
    """What may have changed since `before` was read, open to be read; everything where that was another generation.

    None where nothing has. NotServing before there is a state. Views are brought up to date by that, so that nobody
    else may ask this state for them.
    """
    with ExitStack() as stack:
        with served.changing:  # no delta comes between one topic and another
            generation = stack.enter_context(served.reading())
            taken = Taken(generation, {topic: state.applied for topic, state in generation.topics.items()})
            leads_on = before is not None and before.generation is generation
            if before is not None and leads_on and before.numbers == taken.numbers:
                found = None
            else:
                parts = [
                    part
                    for topic, state in generation.topics.items()
                    if before is None or not leads_on or before.numbers[topic] != state.applied
                    for part in _parts(state, leads_on, stack)
                ]
                found = _described(taken, parts)
        yield found


def _described(taken: Taken, parts: list[Part]) -> Excerpt:
    topics = taken.generation.topics
    return Excerpt(
        taken,
        parts,
        taken.generation.run,
        {topic: dict(state.cut) for topic, state in topics.items()},
        {topic: dict(state.head) for topic, state in topics.items()},
        max((state.watermark for state in topics.values()), default="") or None,
    )


def _parts(state: TopicState, leads_on: bool, stack: ExitStack) -> list[Part]:
    """The parts of a topic, in a transaction that has begun."""
    cursor = state.con.cursor()
    stack.callback(cursor.close)
    cursor.execute("SET TimeZone = 'UTC'")
    parts = []
    for name, view in state.views.items():
        whole = not leads_on
        if leads_on:
            cursor.execute(f"CREATE TEMP TABLE hit_{name} AS SELECT DISTINCT v FROM touched_{name}")
            hits = cursor.execute(f"SELECT count(*) FROM hit_{name}").fetchall()[0][0]
            if not hits:
                continue
            whole = hits > MOST_SHARDS
        state.refresh(name)
        parts.append(Part(view, whole, cursor))
    cursor.execute("BEGIN")
    cursor.execute("SELECT n FROM applied").fetchall()
    return parts
