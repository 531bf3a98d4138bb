"""What a request asks of a view: filters, order, page, fields, layer and format, from query parameters to SQL."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import isinf
from typing import Any

OPERATORS = {"gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}
LAYERS = ("merged", "batch", "speed")
FORMATS = ("json", "csv", "parquet", "arrow")
DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
RESERVED = ("sort", "limit", "cursor", "fields", "layer", "format", "as_of_run")
MOST_VALUES = 1000
LARGEST = 2**63 - 1
_DAY, _CLOCK = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?"
# How the values of a type are written; text may be anything.
_FORMS = {
    "BIGINT": re.compile(r"[+-]?\d{1,30}", re.ASCII),
    "DOUBLE": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "DATE": re.compile(_DAY, re.ASCII),
    "TIMESTAMP WITH TIME ZONE": re.compile(f"{_DAY}[T ]{_CLOCK}", re.ASCII),
}


class BadQuery(ValueError):
    """A parameter that can't be used; `name` is the parameter's."""

    def __init__(self, name: str, message: str):
        super().__init__(f"'{name}': {message}")
        self.name = name


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

    def cursor(self, row: dict[str, Any], snapshot: str) -> str:
        """What asks for the page after the one that ends with `row`."""
        position = [_text(row[name]) for name, _ in self.order]
        data = json.dumps([self._shape(), snapshot, position], separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    def _shape(self) -> str:
        """What the pages of one query have in common."""
        order = ",".join(("-" if down else "") + name for name, down in self.order)
        return f"{order};{zlib.crc32(repr((self.where(), self.layer, self.as_of_run)).encode()):08x}"


def parse(
    parameters: Iterable[tuple[str, str]],
    columns: dict[str, str],
    key: tuple[str, ...],
    reserved: tuple[str, ...] = RESERVED,
) -> Query:
    """The query of a request's parameters; raises BadQuery."""
    chosen: dict[str, str] = {}
    filters = []
    for name, value in parameters:
        if name in reserved:
            if name in chosen:
                raise BadQuery(name, "must be given once")
            chosen[name] = value
        else:
            filters.append(_filter(name, value, columns))
    layer = _one_of("layer", chosen.get("layer", "merged"), LAYERS)
    form = _one_of("format", chosen.get("format", "json"), FORMATS)
    fields = tuple(dict.fromkeys(_known("fields", n, columns) for n in _names(chosen.get("fields"))))
    sort = []
    for name in _names(chosen.get("sort")):
        down = name.startswith("-")
        sort.append((_known("sort", name.removeprefix("-"), columns), down))
    query = Query(columns, key, tuple(filters), tuple(dict(sort).items()), _limit(chosen.get("limit")), None, "",
                  fields, layer, form, chosen.get("as_of_run", ""))  # fmt: skip
    if chosen.get("as_of_run") == "":
        raise BadQuery("as_of_run", "must be the id of a kept run; got ''")
    if query.as_of_run and layer == "speed":
        raise BadQuery("layer", "must be merged or batch with as_of_run; got 'speed'")
    if "cursor" not in chosen:
        return query
    after, snapshot = _position(chosen["cursor"], query)
    return Query(**{**vars(query), "after": after, "snapshot": snapshot})


def _filter(name: str, text: str, columns: dict[str, str]) -> Filter:
    column, _, operator = name.partition("__")
    if column not in columns:
        raise BadQuery(name, f"column must be one of {', '.join(columns)}; got '{column}'")
    if not operator and "__" not in name:
        value = value_of(name, text, columns[column])
        return Filter(f'"{column}" = ?', (value,), (column, value))
    if operator in OPERATORS:
        return Filter(f'"{column}" {OPERATORS[operator]} ?', (value_of(name, text, columns[column]),))
    if operator == "in":
        values = tuple(value_of(name, part, columns[column]) for part in text.split(","))
        if len(values) > MOST_VALUES:
            raise BadQuery(name, f"must name at most {MOST_VALUES} values; got {len(values)}")
        return Filter(f'"{column}" IN ({", ".join("?" * len(values))})', values)
    if operator == "isnull":
        if text not in ("true", "false"):
            raise BadQuery(name, f"must be true or false; got '{text}'")
        return Filter(f'"{column}" IS {"" if text == "true" else "NOT "}NULL', ())
    raise BadQuery(name, f"must end with one of in, {', '.join(OPERATORS)}, isnull after '__'; got '{operator}'")


def value_of(name: str, text: str, kind: str) -> Any:
    """The value of parameter `name` as SQL type `kind` has it; BadQuery where the text is none."""
    try:
        if kind in _FORMS and not _FORMS[kind].fullmatch(text):
            raise ValueError
        match kind:
            case "VARCHAR":
                text.encode()  # a cursor may hold half of a surrogate pair, which no column can
                return text
            case "DOUBLE":
                value = float(text)
                if isinf(value):
                    raise ValueError
                return value
            case "DATE":
                return dt.date.fromisoformat(text)
            case "TIMESTAMP WITH TIME ZONE":
                moment = dt.datetime.fromisoformat(text)
                return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
            case _:
                number = int(text)
                if not -LARGEST - 1 <= number <= LARGEST:
                    raise ValueError
                return number
    except (ValueError, OverflowError):
        wanted = {
            "DOUBLE": "a number",
            "DATE": "a day as in 2026-03-01",
            "TIMESTAMP WITH TIME ZONE": "a time as in 2026-03-01T08:00:00Z, at most to the microsecond",
            "VARCHAR": "text",
        }.get(kind, "a whole number")
        raise BadQuery(name, f"must be {wanted}; got '{text}'") from None


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _position(text: str, query: Query) -> tuple[tuple[Any, ...], str]:
    problem = BadQuery("cursor", "must be the 'next' of an answer to the same query")
    try:
        shape, snapshot, position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, TypeError, RecursionError):
        raise problem from None
    if shape != query._shape() or not isinstance(position, list) or len(position) != len(query.order):
        raise problem
    if not isinstance(snapshot, str):
        raise problem
    values = []
    for (name, _), value in zip(query.order, position, strict=True):
        if value is not None and not isinstance(value, (str, int, float)):
            raise problem
        try:
            values.append(None if value is None else value_of("cursor", str(value), query.columns[name]))
        except BadQuery:
            raise problem from None
    return tuple(values), snapshot


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []


def _known(parameter: str, name: str, columns: dict[str, str]) -> str:
    if name not in columns:
        raise BadQuery(parameter, f"column must be one of {', '.join(columns)}; got '{name}'")
    return name


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise BadQuery(name, f"must be one of {', '.join(choices)}; got '{value}'")
    return value


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT or len(text) > 9:
        raise BadQuery("limit", f"must be a whole number from 1 to {MAX_LIMIT}; got '{text}'")
    return int(text)
