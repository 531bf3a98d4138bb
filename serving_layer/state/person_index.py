"""Rows of one person from a batch view, without a query: an Arrow file in the persons' order, and where each begins."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  # pyarrow would, with the first moment of an answer: 0.2 s for all who wait at that time
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Rows of a batch of the file, of which one at a time is in memory while it is made.
ROWS_AT_ONCE = 100_000


def places(column: pa.ChunkedArray) -> dict[Any, tuple[int, int]]:
    """Where each value of `column` stands, from (inclusive) and to (exclusive); equal values must stand together."""
    if not len(column):
        return {}
    runs = pc.run_end_encode(column.combine_chunks())
    ends = runs.run_ends.to_pylist()
    return dict(zip(runs.values.to_pylist(), zip([0, *ends], ends, strict=False), strict=True))


class PersonIndex:
    """The rows of `parquet` by the values of `column`, whose equal values must stand together.

    What is held in memory is where each person's rows end, in numbers alone: a tuple for each would have Python's
    garbage collector stop all requests for as long as it searches them. The rows are in the file `arrow`, mapped, so
    that the system may drop its pages.
    """

    def __init__(self, parquet: Path, column: str, arrow: Path):
        with pq.ParquetFile(parquet) as rows, pa.OSFile(str(arrow), "wb") as sink:
            with pa.ipc.new_file(sink, rows.schema_arrow) as writer:
                for batch in rows.iter_batches(ROWS_AT_ONCE):
                    writer.write_batch(batch)
            self._names = rows.schema_arrow.names
        mapped = pa.ipc.open_file(pa.memory_map(str(arrow)))
        self.column = column
        # The rows of the value numbered n are those from the n-th of the ends (inclusive) to the next (exclusive).
        self._numbers: dict[Any, int] = {}
        self._ends = array("q", [0])
        self._starts: list[int] = []
        # Single arrays: for the few rows of a person they are read in half the time that a table takes.
        self._arrays: list[list[pa.Array]] = []
        start = 0
        for number in range(mapped.num_record_batches):
            batch = mapped.get_batch(number)
            for value, (_, end) in places(pa.chunked_array([batch[column]])).items():
                if value in self._numbers:  # its first rows are in the batch before
                    self._ends.pop()
                self._numbers[value] = len(self._ends) - 1
                self._ends.append(start + end)
            self._starts.append(start)
            self._arrays.append(batch.columns)
            start += batch.num_rows

    def rows(self, value: str) -> list[dict[str, Any]]:
        """The rows of one value, in the order of the key."""
        place = self._numbers.get(value)
        first, end = self._ends[place : place + 2] if place is not None else (0, 0)
        found: list[dict[str, Any]] = []
        while first < end:  # mostly once: few persons' rows stand in two batches
            number = bisect_right(self._starts, first) - 1
            at = first - self._starts[number]
            taken = [array.slice(at, end - first).to_pylist() for array in self._arrays[number]]
            found += [dict(zip(self._names, row, strict=True)) for row in zip(*taken, strict=True)]
            first += len(taken[0])
        return found
