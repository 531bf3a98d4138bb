"""What a rollup is, and the SQL that follows from it.

A rollup is a mergeable state: its measures are sums, minima or maxima, so that merging two states is a union and one
more GROUP BY, exact in any order and on any split.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from catalogue.sql.dialect import MAX_SUM
from catalogue.views.select import words

# The columns by which states and views are kept apart, the first that they have: a person's rows stand together.
SHARDS = ("user_id", "student_id", "date")
GRAIN_TYPES = {"date": "DATE", "hour": "BIGINT", "minute": "TIMESTAMP"}


@dataclass(frozen=True)
class Measure:
    """A value of a rollup's row: `merge` (sum, min or max) over what `sql` says of each event that satisfies `where`.

    States merge by the same `merge`. Written by `number`, `total`, `earliest` and `latest`.
    """

    name: str
    merge: str
    sql: str
    where: str = ""


def number(name: str, where: str = "") -> Measure:
    """How many events satisfy `where`."""
    return Measure(name, "sum", "1", where)


def total(name: str, sql: str, where: str = "") -> Measure:
    """Sum of a non-negative integer; it stays at the largest 64-bit integer instead of overflowing."""
    return Measure(name, "sum", sql, where)


def earliest(name: str, sql: str = "ts", where: str = "") -> Measure:
    """Minimum."""
    return Measure(name, "min", sql, where)


def latest(name: str, sql: str = "ts", where: str = "") -> Measure:
    """Maximum."""
    return Measure(name, "max", sql, where)


@cache
def shard_of(columns: tuple[str, ...]) -> str:
    """The column by which rows of these columns are kept apart: the person, else the day, else the first."""
    return next((c for c in SHARDS if c in columns), columns[0])


def _aggregate(measure: Measure, sql: str, where: str = "") -> str:
    condition = f" FILTER (WHERE {where})" if where else ""
    if measure.merge != "sum":
        return f"{measure.merge}({sql}){condition} AS {measure.name}"
    summed = f"count(*){condition}" if sql == "1" else f"coalesce(sum({sql}){condition}, 0)"
    return f"least({summed}, {MAX_SUM})::BIGINT AS {measure.name}"


def _indented(sql: str) -> str:
    return sql.replace("\n", "\n    ")


def _grouped(grain: tuple[str, ...], measures: list[str], source: str) -> str:
    columns = ",\n    ".join((*grain, *measures))
    return f"SELECT\n    {columns}\n{source}\nGROUP BY {', '.join(grain)}"


@dataclass(frozen=True)
class Rollup:
    """A mergeable state of one topic: of the valid events that satisfy `where`, one row per value of the `grain`.

    A row holds the grain's columns, which are fields of the events (or date, hour and event_type, which every event
    has), and the measures. What views count as different (`count(DISTINCT video_id)`) stands in the grain.

    With `unnest`, a field that is a list, an event is a row per different entry of it, and the entry is a column of the
    grain under the name `unnest_as`.
    """

    name: str
    topic: str
    grain: tuple[str, ...]
    measures: tuple[Measure, ...]
    where: str = "true"
    unnest: str = ""
    unnest_as: str = ""

    def roll_up(self, events: str) -> str:
        """The SELECT that makes this rollup's state from the relation `events` of typed events."""
        source = f"FROM {events}\nWHERE {self.where}"
        if self.unnest:
            entries = f"unnest(list_distinct({self.unnest})) AS {self.unnest_as}"
            source = f"FROM (\n    SELECT\n        *,\n        {entries}\n    {_indented(source)}\n)"
        return _grouped(self.grain, [_aggregate(m, m.sql, m.where) for m in self.measures], source)

    @property
    def shard(self) -> str:
        """The grain column by which its rows are kept together."""
        return shard_of(self.grain)

    @property
    def types(self) -> dict[str, str]:
        """SQL type of each column of the state, in order."""
        grain = {name: GRAIN_TYPES.get(name, "VARCHAR") for name in self.grain}
        return grain | {m.name: "TIMESTAMP" if m.sql == "ts" else "BIGINT" for m in self.measures}

    @property
    def declared(self) -> str:
        """SQL: the columns of a table of its state, with their types."""
        return ", ".join(f"{name} {kind}" for name, kind in self.types.items())

    @property
    def words(self) -> set[str]:
        """The words of its texts, the columns that it reads among them."""
        texts = (text for m in self.measures for text in (m.sql, m.where))
        return {*self.grain, *(word for text in (self.where, self.unnest, *texts) for word in words(text))}

    def merge(self, states: str) -> str:
        """The SELECT that merges the relation `states` of states into one."""
        return _grouped(self.grain, [_aggregate(m, m.name) for m in self.measures], f"FROM {states}")
