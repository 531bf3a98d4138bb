"""What a request asks of a view, as SQL: filters, order and page."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000


@dataclass(frozen=True)
class Filter:
    """A condition with its values, which are bound and never written into SQL."""

    sql: str
    values: tuple[Any, ...]
    equals: tuple[str, Any] | None = None


@dataclass(frozen=True)
class Query:
    """One page of a view: its columns by SQL type, key, and what the request chose."""

    columns: dict[str, str]
    key: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int = DEFAULT_LIMIT
    after: tuple[Any, ...] | None = None
    snapshot: str = ""
    fields: tuple[str, ...] = ()
    layer: str = "merged"
    format: str = "json"
    spreadsheet: bool = False
    as_of_run: str = ""

    @property
    def order(self) -> tuple[tuple[str, bool], ...]:
        """Columns and whether they descend: the chosen sort, then the key, so that the order is total."""
        chosen = [name for name, _ in self.sort]
        return (*self.sort, *((name, False) for name in self.key if name not in chosen))

    def equal_to(self, column: str) -> Any:
        """The one value that `column` must have; None where the query doesn't say."""
        return next((f.equals[1] for f in self.filters if f.equals and f.equals[0] == column), None)

    @property
    def plain(self) -> bool:
        """Whether it asks for a first page in the order of the key."""
        return not self.sort and self.after is None

    def where(self) -> tuple[str, list[Any]]:
        """The condition of the filters, without the page's."""
        return " AND ".join(f.sql for f in self.filters) or "true", [v for f in self.filters for v in f.values]

    def page(self, relation: str) -> tuple[str, list[Any]]:
        """SELECT of the page from `relation`, with one row more than `limit` where another page follows."""
        condition, values = self.where()
        if self.after is not None:
            later, bound = self._later(self.after)
            condition, values = f"({condition}) AND ({later})", [*values, *bound]
        order = ", ".join(f'"{n}" {"DESC" if down else "ASC"} NULLS LAST' for n, down in self.order)
        return f"SELECT * FROM {relation} WHERE {condition} ORDER BY {order} LIMIT {self.limit + 1}", values

    def _later(self, after: tuple[Any, ...]) -> tuple[str, list[Any]]:
        """The condition of standing after a row with these values in the query's order; NULL stands last."""
        choices, bound = [], []
        equal: list[tuple[str, Any]] = []
        for (name, down), value in zip(self.order, after, strict=True):
            if value is not None:
                same = [f'"{n}" IS NOT DISTINCT FROM ?' for n, _ in equal]
                choices.append(" AND ".join([*same, f'("{name}" {"<" if down else ">"} ? OR "{name}" IS NULL)']))
                bound += [*(v for _, v in equal), value]
            equal.append((name, value))
        return " OR ".join(f"({c})" for c in choices) or "false", bound

    @property
    def shape(self) -> str:
        """What the pages of one query have in common."""
        order = ",".join(("-" if down else "") + name for name, down in self.order)
        return f"{order};{zlib.crc32(repr((self.where(), self.layer, self.as_of_run)).encode()):08x}"
