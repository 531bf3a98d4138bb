"""What is left of people: every byte at rest is searched for their ids, unpacked."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalogue.at_rest.raw_persons import rejected_bytes
from deployment.persons.places import Places, each, unpacked
from runtime.storage.store import Store


class Sought:
    """Ids as they can stand in objects: whole, not as a part of a longer one."""

    def __init__(self, ids: Iterable[str]):
        self.ids = sorted(ids)
        forms = {
            form for one in self.ids for form in (one, json.dumps(one)[1:-1], json.dumps(json.dumps(one)[1:-1])[1:-1])
        }
        either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._text = re.compile(rf"(?<!\w)(?:{either})(?!\w)")
        self._needles = [form.encode("utf-8", "surrogatepass") for form in forms]

    def times_in(self, path: str, data: bytes) -> int:
        """How often an object names one of them."""
        if path.endswith(".parquet"):
            return sum(map(self._times_in_column, pq.read_table(io.BytesIO(data)).columns))
        text = unpacked(path, data)
        if b'"base64"' in text:
            text = b"\n".join([text, *map(rejected_bytes, text.split(b"\n"))])
        if not any(needle in text for needle in self._needles):
            return 0
        return len(self._text.findall(text.decode("utf-8", "replace")))

    def _times_in_column(self, column: pa.ChunkedArray) -> int:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return 0
        may = pc.is_in(column, pa.array(self.ids, column.type))
        for one in self.ids:
            may = pc.or_(may, pc.fill_null(pc.match_substring(column, one), False))
        return sum(bool(self._text.search(value)) or value in self.ids for value in column.filter(may).to_pylist())


def remains_in(store: Store, sought: Sought) -> tuple[dict[str, int], int]:
    """How often each object that names somebody does, and how many objects there are."""
    paths = [entry.path for entry in store.list()]
    found = each(lambda path: sought.times_in(path, store.read(path)), paths)
    return {path: times for path, times in found if times}, len(paths)


def remains(places: Places, ids: Iterable[str]) -> tuple[dict[str, int], int]:
    """The same of every store, by its name and path."""
    sought, found, searched = Sought(ids), {}, 0
    for name, store in places.all.items():
        here, count = remains_in(store, sought)
        found.update({f"{name}/{path}": times for path, times in here.items()})
        searched += count
    return found, searched
