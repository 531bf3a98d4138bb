"""What a rollup and a view are, and the SQL that follows from them.

A rollup is a mergeable state: its measures are sums, minima or maxima, so that merging two states is a union and one
more GROUP BY, exact in any order and on any split. A view is one SELECT over rollups of one topic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalogue.sql.dialect import MAX_SUM

# The columns by which states and views are kept apart, the first that they have: a person's rows stand together.
SHARDS = ("user_id", "student_id", "date")
GRAIN_TYPES = {"date": "DATE", "hour": "BIGINT", "minute": "TIMESTAMP"}


@dataclass(frozen=True)
class Measure:
    """One value of a rollup: `merge` (sum, min or max) over `sql` of the events that satisfy `where`."""

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


def _shard(columns: tuple[str, ...]) -> str:
    return next((c for c in SHARDS if c in columns), columns[0])


def _aggregate(measure: Measure, sql: str, where: str = "") -> str:
    condition = f" FILTER (WHERE {where})" if where else ""
    if measure.merge != "sum":
        return f"{measure.merge}({sql}){condition} AS {measure.name}"
    summed = f"count(*){condition}" if sql == "1" else f"sum({sql}){condition}"
    return f"least(coalesce({summed}, 0), {MAX_SUM})::BIGINT AS {measure.name}"


@dataclass(frozen=True)
class Rollup:
    """A mergeable state over one topic's valid events: one row per `grain`, for the events that satisfy `where`.

    `unnest` is a list expression whose distinct entries each count as a row, under the name `unnest_as`.
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
        source = f"{events} WHERE {self.where}"
        if self.unnest:
            source = f"(SELECT *, unnest(list_distinct({self.unnest})) AS {self.unnest_as} FROM {source})"
        measures = [_aggregate(m, m.sql, m.where) for m in self.measures]
        return f"SELECT {', '.join([*self.grain, *measures])} FROM {source} GROUP BY {', '.join(self.grain)}"

    @property
    def shard(self) -> str:
        """The grain column by which its rows are kept together."""
        return _shard(self.grain)

    @property
    def types(self) -> dict[str, str]:
        """SQL type of each column of the state, in order."""
        grain = {name: GRAIN_TYPES.get(name, "VARCHAR") for name in self.grain}
        return grain | {m.name: "TIMESTAMP" if m.sql == "ts" else "BIGINT" for m in self.measures}

    @property
    def words(self) -> set[str]:
        """The words of its texts, the columns that it reads among them."""
        measures = (text for m in self.measures for text in (m.sql, m.where))
        return set(re.findall(r"\w+", " ".join((*self.grain, self.where, self.unnest, *measures))))

    def merge(self, states: str) -> str:
        """The SELECT that merges the relation `states` of states into one."""
        measures = [_aggregate(m, m.name) for m in self.measures]
        return f"SELECT {', '.join([*self.grain, *measures])} FROM {states} GROUP BY {', '.join(self.grain)}"


@dataclass(frozen=True)
class View:
    """A view: one row per `key`; `sql` is one SELECT with a line `expression AS column,  -- meaning` per column.

    `sharded_by` names the rollup columns, where they are called otherwise than the key's, that rows of one value of
    `shard` draw on. `link` is a column through which rows of other shards take part as well; with `link_grain` only
    a combination of these columns that is new to the state changes other shards' rows.
    """

    name: str
    topic: str
    key: tuple[str, ...]
    sql: str
    sharded_by: tuple[tuple[str, str], ...] = ()
    link: str = ""
    link_grain: tuple[str, ...] = ()

    @property
    def shard(self) -> str:
        """The key column by whose values parts of the view can be computed apart."""
        return _shard(self.key)

    def shard_column(self, rollup: str) -> str:
        """The column of a rollup that holds the values of `shard`."""
        return dict(self.sharded_by).get(rollup, self.shard)

    @property
    def meanings(self) -> dict[str, str]:
        """Meaning of each column, in column order, read from the comments of `sql`."""
        return {m[1]: m[2].strip() for m in re.finditer(r"(\w+),?\s*-- (.+)$", self.sql, re.MULTILINE)}

    def rollups(self, known: dict[str, Rollup]) -> tuple[Rollup, ...]:
        """The rollups that the view reads."""
        words = set(re.findall(r"\w+", self.sql))
        return tuple(r for name, r in known.items() if name in words and r.topic == self.topic)
