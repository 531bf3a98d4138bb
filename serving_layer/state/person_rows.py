"""Rows of one person from a view, without a query: as the batch run left them, or as computed ahead after a delta."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

import pyarrow as pa

from serving_layer.state.person_index import PersonIndex, places

WANTED_SECONDS = 300.0
# Persons that one computation takes, so that none takes long.
MOST_AT_ONCE = 5_000
# Tables of computed rows are put together anew when so many of their rows per valid one are outdated.
MOST_OUTDATED = 2
FEWEST_ROWS = 100_000


class PersonRows:
    """The rows of a view by person. `index` has those of the batch run; deltas touch persons, whose rows `keep` takes.

    Rows of a person count as valid when they were computed at the last delta that touched the person, or after it.
    """

    def __init__(self, index: PersonIndex):
        self.index = index
        self._touched: dict[str, int] = {}
        self._stale: set[str] = set()
        self._computed: dict[str, tuple[int, pa.Table]] = {}
        self._rows_held = 0
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def touch(self, persons: Iterable[str], number: int) -> None:
        """Say that delta `number` changes the persons' rows, before it becomes visible."""
        persons = list(persons)
        with self._lock:
            self._touched.update(dict.fromkeys(persons, number))
            self._stale.update(persons)

    def rows(self, person: str, layer: str, number: int) -> list[dict[str, Any]] | None:
        """The person's rows as of delta `number`, in the order of the key; None where they have to be computed."""
        last = self._touched.get(person) if layer == "merged" else None
        if last is None:
            return self.index.rows(person)
        computed, table = self._computed.get(person, (-1, None))
        if not last <= computed <= number or table is None:
            self._asked = time.monotonic()
            return None
        found: list[dict[str, Any]] = table.to_pylist()
        return found

    @property
    def wanted(self) -> bool:
        """Whether somebody asked lately for rows that had to be computed, and there are more of them."""
        return bool(self._stale) and time.monotonic() < self._asked + WANTED_SECONDS

    def stale(self, number: int) -> list[str]:
        """Persons without valid rows whom no delta after `number` has touched."""
        with self._lock:
            return list(islice((p for p in self._stale if self._touched[p] <= number), MOST_AT_ONCE))

    def keep(self, number: int, persons: list[str], table: pa.Table) -> None:
        """Take all rows of `persons`, computed at delta `number` and in the order of the persons."""
        self._put(dict.fromkeys(persons, number), table)
        with self._lock:
            self._stale.difference_update([p for p in persons if self._touched[p] <= number])
        valid = sum(len(rows) for _, rows in self._computed.values())
        if self._rows_held > FEWEST_ROWS and self._rows_held > (1 + MOST_OUTDATED) * valid:
            computed = dict(sorted(self._computed.items()))
            self._rows_held = 0
            self._put({p: n for p, (n, _) in computed.items()}, pa.concat_tables([t for _, t in computed.values()]))

    def _put(self, numbers: dict[str, int], table: pa.Table) -> None:
        table = table.combine_chunks()
        found = places(table[self.index.column])
        for person, number in numbers.items():
            first, end = found.get(person, (0, 0))
            self._computed[person] = number, table.slice(first, end - first)
        self._rows_held += len(table)
