"""The rules that rollups and views must keep; `catalogue.views` and `windows` apply them when they are imported.

They read texts only, so that a process starts as fast as before. What only DuckDB can tell says `columns.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from catalogue.declarations import IDENTIFIER, listed, repeated
from catalogue.events import TOPICS
from catalogue.events.schema import Kind, Topic
from catalogue.sql.typed_events import fields_of
from catalogue.views.rollups import Measure, Rollup
from catalogue.views.select import parse, words
from catalogue.views.view import View

# Columns that typed events have beside their fields, with the kind that measures and lists may ask for.
_MADE = {"ts": Kind.TIMESTAMP, "date": Kind.TEXT, "hour": Kind.INTEGER, "minute": Kind.TIMESTAMP}
_WORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "LIKE", "DISTINCT", "FROM", "TRUE", "FALSE"}
_WORDS |= {"CASE", "WHEN", "THEN", "ELSE", "END", "AS"}
_TEXT = re.compile(r"'(?:[^']|'')*'")
_COMPARED_TYPES = re.compile(r"event_type\s*(?:=|<>|!=|(?:NOT\s+)?IN)\s*(\([^)]*\)|'[^']*')", re.IGNORECASE)
_CALL = re.compile(r"(\w+)\s*\(")
NUMBERS = (Kind.INTEGER, Kind.SCORE)


def rollup_faults(rollups: Sequence[Rollup], texts: Iterable[str]) -> Iterator[str]:
    """Every fault of rollups, one that none of the SELECTs `texts` reads among them."""
    for name in repeated(r.name for r in rollups):
        yield f"rollup '{name}': name must stand once; got it repeated"
    read = {word for text in texts for word in words(text)}
    for rollup in rollups:
        who = f"rollup '{rollup.name}':"
        if not IDENTIFIER.fullmatch(rollup.name):
            yield f"{who} name must be of small letters, digits and _; got '{rollup.name}'"
        if rollup.name not in read:
            yield f"{who} must be read by a view; got none that does"
        if rollup.topic not in TOPICS:
            yield f"{who} topic must be one of {listed(TOPICS)}; got '{rollup.topic}'"
        else:
            yield from (f"{who} {fault}" for fault in _rollup_faults(rollup, TOPICS[rollup.topic]))


def _rollup_faults(rollup: Rollup, topic: Topic) -> Iterator[str]:
    kinds = {name: field.kind for name, field in fields_of(topic).items() if name != "timestamp"} | _MADE
    if rollup.unnest and kinds.get(rollup.unnest) is not Kind.NAMES:
        yield f"unnest must be a list among the fields of {topic.name}; got '{rollup.unnest}'"
    if bool(rollup.unnest) != bool(rollup.unnest_as):
        yield f"unnest and unnest_as must be given together; got '{rollup.unnest}' and '{rollup.unnest_as}'"
    known = kinds | ({rollup.unnest_as: Kind.TEXT} if rollup.unnest_as else {})
    if not rollup.grain:
        yield "grain must be one column or more; got nothing"
    for column in rollup.grain:
        if column not in known:
            yield f"grain column '{column}' must be {_of(topic)}; got a name that it lacks"
    if not rollup.measures:
        yield "measures must be one or more; got nothing"
    for name in repeated([*rollup.grain, *(m.name for m in rollup.measures)]):
        yield f"column '{name}' must stand once in grain and measures; got it repeated"
    yield from _condition_faults("where", rollup.where, kinds, topic)
    for measure in rollup.measures:
        yield from _measure_faults(measure, kinds, topic)


def _of(topic: Topic) -> str:
    return f"a field of {topic.name} or one of {listed(_MADE)}"


def _measure_faults(measure: Measure, kinds: Mapping[str, Kind], topic: Topic) -> Iterator[str]:
    who = f"measure '{measure.name}'"
    if not IDENTIFIER.fullmatch(measure.name):
        yield f"{who} must be of small letters, digits and _; got '{measure.name}'"
    if measure.merge not in ("sum", "min", "max"):
        yield f"{who} must merge by sum, min or max; got '{measure.merge}'"
    yield from _condition_faults(f"{who}: where", measure.where, kinds, topic)
    if measure.sql == "1":
        return
    yield from _condition_faults(who, measure.sql, kinds, topic)
    kind = kinds.get(measure.sql)
    if kind and kind not in NUMBERS and (measure.merge == "sum" or measure.sql != "ts"):
        wanted = "a number" if measure.merge == "sum" else "a number or ts"
        yield f"{who} must take {wanted}; got '{measure.sql}', a {kind.value}"


def _condition_faults(who: str, sql: str, kinds: Mapping[str, Kind], topic: Topic) -> Iterator[str]:
    """Names that the topic's events lack, and event types that are none of its."""
    plain = _TEXT.sub("''", sql)
    calls = set(_CALL.findall(plain))
    for name in dict.fromkeys(words(plain)):
        if name not in kinds and name not in calls and name.upper() not in _WORDS:
            yield f"{who} must read {_of(topic)}; got '{name}'"
    types = {e.name for e in topic.event_types}
    for named in (text for found in _COMPARED_TYPES.findall(sql) for text in re.findall(r"'([^']*)'", found)):
        if named not in types:
            yield f"{who} must name event types of {topic.name}; got '{named}'"


def view_faults(views: Sequence[View], rollups: Sequence[Rollup], tables: Collection[str] = ()) -> Iterator[str]:
    """Every fault of views over `rollups`; `tables` are others that they may read."""
    known = {r.name: r for r in rollups}
    for name in repeated(v.name for v in views):
        yield f"view '{name}': name must stand once; got it repeated"
    for view in views:
        found = [*_select_faults(view), *_table_faults(view, known, tables), *_shard_faults(view, known)]
        yield from (f"view '{view.name}': {fault}" for fault in found)


def _select_faults(view: View) -> Iterator[str]:
    if not IDENTIFIER.fullmatch(view.name):
        yield f"name must be of small letters, digits and _; got '{view.name}'"
    select = parse(view.sql)
    names = [c.name for c in select.columns]
    for number, column in enumerate(select.columns, 1):
        if not column.name:
            yield f"column {number} must have a name, `expression AS name`; got '{column.expression}'"
        elif not column.meaning:
            yield f"column '{column.name}' must have its meaning behind it, `-- meaning`; got none"
    for name in repeated(names):
        yield f"column '{name}' must stand once; got it repeated"
    if not view.key or tuple(names[: len(view.key)]) != view.key:
        yield f"key must be its first columns; got {listed(view.key)} before {listed(names)}"
    elif view.key[0] != view.shard:  # rows of one person are found beside each other
        yield f"key must begin with its shard, '{view.shard}'; got {listed(view.key)}"
    keys = [c.expression for c in select.columns if c.name in view.key]
    grouped = {_unqualified(group) for group in select.grouped}
    if grouped and view.key and grouped not in ({_unqualified(e) for e in keys}, set(view.key)):
        got = f"{listed(view.key)} grouped by {listed(select.grouped)}"
        yield f"key must be unique, what the SELECT groups by; got {got}"


def _unqualified(expression: str) -> str:
    """The column of `table.column` and of `utc(column)`, which tells values apart as the column does."""
    return re.sub(r"^utc\((.*)\)$", r"\1", expression).rpartition(".")[2]


def _table_faults(view: View, known: Mapping[str, Rollup], tables: Collection[str]) -> Iterator[str]:
    select = parse(view.sql)
    read = [name for name in select.tables if name not in {*select.common, *tables}]
    for name in read:
        if name not in known:
            yield f"table '{name}' must be a rollup or a common table of its own; got neither"
        elif view.topic and known[name].topic != view.topic:
            yield f"rollup '{name}' must be of {view.topic}; got one of {known[name].topic}"
    for name in set(words(view.sql)) & known.keys() - set(read):
        yield f"'{name}' must be read as a table, as a rollup has the name; got it elsewhere in the SELECT"
    if view.topic and view.topic not in TOPICS:
        yield f"topic must be one of {listed(TOPICS)}; got '{view.topic}'"
    elif not (read or set(select.tables) & set(tables)):
        yield "SELECT must read a rollup; got none"


def _shard_faults(view: View, known: Mapping[str, Rollup]) -> Iterator[str]:
    """What can't be computed by parts. A window (no topic) never is."""
    rollups = view.rollups(known)
    if not view.topic or not rollups or not view.key:
        return
    columns = {column for r in rollups for column in r.grain}
    aliases = {c.name: _unqualified(c.expression) for c in parse(view.sql).columns}
    for name in view.key:
        if name not in columns and aliases.get(name) not in columns:
            yield f"key column '{name}' must be in the grain of a rollup that it reads; got {listed(sorted(columns))}"
    for rollup, _ in view.sharded_by:
        if rollup not in {r.name for r in rollups}:
            yield f"sharded_by must name rollups that it reads; got '{rollup}'"
    for r in rollups:
        if (column := view.shard_column(r.name)) not in r.grain:
            yield f"shard '{column}' must be in the grain of '{r.name}', else sharded_by tells its column; got neither"
        for linked in dict.fromkeys((view.link, *view.link_grain)):
            if linked and linked not in r.grain:
                yield f"link '{linked}' must be in the grain of '{r.name}'; got {listed(r.grain)}"
    if view.link_grain and view.link not in view.link_grain:
        yield f"link_grain must hold the link; got {listed(view.link_grain)} without '{view.link}'"
