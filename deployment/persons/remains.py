"""What is left of people: every byte at rest is searched for their ids, unpacked.

An id may be a word that means something else where it is found: `admin` is a role too, `11` a number of anything. So
what only contains an id is told apart from what names a person by it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalogue.at_rest.raw_persons import patterns_of, rejected_bytes
from catalogue.events import COMMON, EVENT_TYPES
from deployment.persons.places import Places, each, unpacked
from runtime.storage.store import Store

# Where rows and objects of ours name people: columns, and fields of JSON.
COLUMNS = frozenset(
    field.name for fields in (COMMON, *(t.fields for t in EVENT_TYPES.values())) for field in fields if field.is_person
)
FIELDS = COLUMNS | {"person", "student", "students", "by", "teaches", "advises"}


class Remains(NamedTuple):
    """How often each object of those `searched` has an id somewhere, and which of them name a person by it."""

    found: dict[str, int]
    searched: int
    named: list[str]


class Sought:
    """Ids as they can stand in objects: whole, not as a part of a longer one; of digits alone, as a value of text."""

    def __init__(self, ids: Iterable[str]):
        self.ids = frozenset(ids)
        numbers = {one for one in self.ids if one.isdigit()}
        self._words = self.ids - numbers
        words = {
            form
            for one in self._words
            for form in (one, json.dumps(one)[1:-1], json.dumps(json.dumps(one)[1:-1])[1:-1])
        }
        either = "|".join(re.escape(form) for form in sorted(words, key=len, reverse=True)) or r"(?!)"
        number = "|".join(sorted(numbers, key=len, reverse=True)) or r"(?!)"
        self._text = re.compile(rf'(?<!\w)(?:{either})(?!\w)|"(?:{number})\\?"(?!\s*:)')
        # What Arrow finds quickly, and is looked at again: to it letters are ASCII's alone.
        self._word_patterns = patterns_of(words, rb"(?:^|\W)", rb"(?:\W|$)")
        self._patterns = self._word_patterns + patterns_of(numbers, b'"', rb'\\?"')

    def within(self, path: str, data: bytes) -> tuple[int, bool]:
        """How often an object has one of them, and whether it names a person so, which of files of events isn't asked:
        they were rewritten by the fields that name people.
        """
        if path.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(data))
            times = sum(self._times_in_column(name, table[name]) for name in table.column_names)
            return times, any(self._is_in(table[name]) for name in table.column_names if name in COLUMNS)
        text = plain = unpacked(path, data)
        if b'"base64"' in text:
            text = b"\n".join([text, *map(rejected_bytes, text.split(b"\n"))])
        whole = pa.scalar(text, pa.large_binary())
        if not any(pc.match_substring_regex(whole, pattern).as_py() for pattern in self._patterns):
            return 0, False
        times = len(self._text.findall(text.decode("utf-8", "replace")))
        if path.startswith("topic="):
            return times, False
        named = any(one in self.ids for line in _objects(plain) for one in _persons(line))
        return times or int(named), named

    def _is_in(self, column: pa.ChunkedArray) -> bool:
        column = _plain(column)
        return _is_text(column) and bool(pc.any(pc.is_in(column, pa.array(sorted(self.ids), column.type))).as_py())

    def _times_in_column(self, name: str, column: pa.ChunkedArray) -> int:
        column = _plain(column)
        if not _is_text(column):
            return 0
        whole = self.ids if name in COLUMNS else self._words
        may = pc.is_in(column, pa.array(sorted(whole), column.type))
        for pattern in self._word_patterns:
            may = pc.or_(may, pc.fill_null(pc.match_substring_regex(column, pattern), False))
        return sum(bool(self._text.search(value)) or value in whole for value in column.filter(may).to_pylist())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_text(column: pa.ChunkedArray) -> bool:
    return column.type in (pa.string(), pa.large_string())


def _objects(text: bytes) -> Iterator[object]:
    """The JSON of an object at rest: as a whole, or line by line."""
    try:
        yield json.loads(text)
    except ValueError:
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _persons(value: object, field: str = "") -> Iterator[str]:
    """Every text in a field that is a person's: what links people has them as keys, and students as values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if field in ("teaches", "advises"):
                yield name
            yield from _persons(inner, name if name in FIELDS else "students" if field == "advises" else "")
    elif isinstance(value, list):
        for inner in value:
            yield from _persons(inner, field)
    elif isinstance(value, str) and field:
        yield value


def remains_in(store: Store, sought: Sought) -> Remains:
    """What is left in a store, by path."""
    paths = [entry.path for entry in store.list()]
    looked = each(lambda path: sought.within(path, store.read(path)), paths)
    found = {path: told for path, told in looked if told[0]}
    named = [path for path, (_, is_named) in found.items() if is_named]
    return Remains({path: times for path, (times, _) in found.items()}, len(paths), named)


def remains(places: Places, ids: Iterable[str]) -> Remains:
    """The same of every store, by its name and path."""
    sought, found, searched, named = Sought(ids), dict[str, int](), 0, list[str]()
    for name, store in places.all.items():
        here = remains_in(store, sought)
        found.update({f"{name}/{path}": times for path, times in here.found.items()})
        searched += here.searched
        named += [f"{name}/{path}" for path in here.named]
    return Remains(found, searched, named)
