"""From query parameters to a query; what can't be used is named.

An unencoded `+` in a URL has two readings: forms mean a space by it, people who type a URL mean the sign. A filter of
text matches both by `=` and `__in`, and by an order the space; of anything else, only one of the two is a value of the
column's type. `%2B` and `%20` have one reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from serving_layer.errors import BadQuery
from serving_layer.query import cursors
from serving_layer.query.query import DEFAULT_LIMIT, MAX_LIMIT, Filter, Query
from serving_layer.query.values import reading_of, value_of

OPERATORS = {"gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}
LAYERS = ("merged", "batch", "speed")
FORMATS = ("json", "csv", "parquet", "arrow")
RESERVED = ("sort", "limit", "cursor", "fields", "layer", "format", "spreadsheet", "as_of_run")
MOST_VALUES = 1000
TEXT = "VARCHAR"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)')
Pairs = list[tuple[str, str]]


def readings(query_string: bytes) -> tuple[Pairs, Pairs]:
    """The parameters of a URL with every unencoded `+` read as a space, and with every one read as itself."""
    text = query_string.decode("latin-1")
    spaced = parse_qsl(text, keep_blank_values=True)
    return spaced, parse_qsl(text.replace("+", "%2B"), keep_blank_values=True) if "+" in text else spaced


def parse(
    parameters: Sequence[tuple[str, str]],
    columns: dict[str, str],
    key: tuple[str, ...],
    reserved: tuple[str, ...] = RESERVED,
    literal: Sequence[tuple[str, str]] | None = None,
) -> Query:
    """The query of a request's parameters, of which `literal` is the second reading; raises BadQuery."""
    chosen: dict[str, str] = {}
    filters: list[Filter] = []
    lists: dict[str, list[tuple[str, str]]] = {}
    for (name, text), (_, second) in zip(parameters, literal or parameters, strict=True):
        if name in reserved:
            if name in chosen:
                raise BadQuery(name, "must be given once")
            chosen[name] = text
        elif name.endswith("__in"):
            lists.setdefault(name, []).append((text, second))
        else:
            filters.append(_filter(name, text, second, columns))
    filters += [_one_of_list(name, texts, columns) for name, texts in lists.items()]
    query = Query(
        columns,
        key,
        tuple(filters),
        _order(chosen.get("sort"), columns),
        _limit(chosen.get("limit")),
        fields=tuple(dict.fromkeys(_known("fields", n, columns) for n in _names(chosen.get("fields")))),
        layer=_choice("layer", chosen.get("layer", "merged"), LAYERS),
        format=_choice("format", chosen.get("format", "json"), FORMATS),
        spreadsheet=_choice("spreadsheet", chosen.get("spreadsheet", "false"), ("true", "false")) == "true",
        as_of_run=chosen.get("as_of_run", ""),
    )
    if chosen.get("as_of_run") == "":
        raise BadQuery("as_of_run", "must be the id of a kept run; got ''")
    if query.as_of_run and query.layer == "speed":
        raise BadQuery("layer", "must be merged or batch with as_of_run; got 'speed'")
    if query.spreadsheet and query.format != "csv":
        raise BadQuery("spreadsheet", f"must stand beside format=csv; got format={query.format}")
    if "cursor" not in chosen:
        return query
    after, snapshot = cursors.decoded(chosen["cursor"], query)
    return replace(query, after=after, snapshot=snapshot)


def _filter(name: str, text: str, second: str, columns: dict[str, str]) -> Filter:
    column, separator, operator = name.partition("__")
    if column not in columns:
        raise BadQuery(name, f"column must be one of {', '.join(columns)}; got '{column}'")
    kind = columns[column]
    if not separator:
        values = _values(name, text, second, kind)
        if len(values) > 1:
            return Filter(f'"{column}" IN (?, ?)', values)
        return Filter(f'"{column}" = ?', values, (column, values[0]))
    if operator in OPERATORS:
        return Filter(f'"{column}" {OPERATORS[operator]} ?', _values(name, text, second, kind)[:1])
    if operator == "isnull":
        if text not in ("true", "false"):
            raise BadQuery(name, f"must be true or false; got '{text}'")
        return Filter(f'"{column}" IS {"" if text == "true" else "NOT "}NULL', ())
    raise BadQuery(name, f"must end with one of in, {', '.join(OPERATORS)}, isnull after '__'; got '{operator}'")


def _one_of_list(name: str, texts: list[tuple[str, str]], columns: dict[str, str]) -> Filter:
    """The filter of a list: split at commas where it is given once; given repeatedly, each is one value."""
    column = name.removesuffix("__in")
    if column not in columns:
        raise BadQuery(name, f"column must be one of {', '.join(columns)}; got '{column}'")
    if len(texts) == 1:
        spaced, literal = (_split(name, text) for text in texts[0])
        texts = list(zip(spaced, literal, strict=True))
    if len(texts) > MOST_VALUES:
        raise BadQuery(name, f"must name at most {MOST_VALUES} values; got {len(texts)}")
    values = tuple(v for text, second in texts for v in _values(name, text, second, columns[column]))
    return Filter(f'"{column}" IN ({", ".join("?" * len(values))})', values)


def _values(name: str, text: str, second: str, kind: str) -> tuple[Any, ...]:
    if kind != TEXT:
        return (reading_of(name, text, second, kind),)
    value = value_of(name, text, kind)
    return (value,) if text == second else (value, value_of(name, second, kind))


def _split(name: str, text: str) -> list[str]:
    """The values of a list; one in double quotes may have commas in it, and quotes that are doubled."""
    if '"' not in text:
        return text.split(",")
    found, place = [], 0
    while True:
        if text.startswith('"', place):
            quoted = _QUOTED.match(text, place)
            if quoted is None:
                raise BadQuery(
                    name, f"must close a value that begins with a double quote, before a comma; got '{text}'"
                )
            found.append(quoted[1].replace('""', '"'))
            place = quoted.end()
        else:
            end = text.find(",", place)
            found.append(text[place:] if end < 0 else text[place:end])
            place = len(text) if end < 0 else end
        if place >= len(text):
            return found
        place += 1


def _order(text: str | None, columns: dict[str, str]) -> tuple[tuple[str, bool], ...]:
    sort = {}
    for name in _names(text):
        sort[_known("sort", name.removeprefix("-"), columns)] = name.startswith("-")
    return tuple(sort.items())


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []


def _known(parameter: str, name: str, columns: dict[str, str]) -> str:
    if name not in columns:
        raise BadQuery(parameter, f"column must be one of {', '.join(columns)}; got '{name}'")
    return name


def _choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise BadQuery(name, f"must be one of {', '.join(choices)}; got '{value}'")
    return value


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT or len(text) > 9:
        raise BadQuery("limit", f"must be a whole number from 1 to {MAX_LIMIT}; got '{text}'")
    return int(text)
