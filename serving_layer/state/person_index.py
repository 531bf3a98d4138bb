"""Rows of one person from a batch view, without a query: an Arrow file in the persons' order, and where each begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def places(column: pa.ChunkedArray) -> dict[Any, tuple[int, int]]:
    """Where each value of `column` stands, from (inclusive) and to (exclusive); equal values must stand together."""
    if not len(column):
        return {}
    runs = pc.run_end_encode(column.combine_chunks())
    ends = runs.run_ends.to_pylist()
    return dict(zip(runs.values.to_pylist(), zip([0, *ends], ends, strict=False), strict=True))


class PersonIndex:
    """The rows of `parquet` by the values of `column`, whose equal values must stand together."""

    def __init__(self, parquet: Path, column: str, arrow: Path):
        table = pq.read_table(parquet)
        with pa.OSFile(str(arrow), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        # Mapped into memory, so that the system may drop its pages.
        mapped = pa.ipc.open_file(pa.memory_map(str(arrow))).read_all()
        self.column = column
        self.places = places(mapped[column])
        self._names = mapped.column_names
        # Single arrays: for the few rows of a person they are read in half the time that a table takes.
        self._arrays = [column.combine_chunks() for column in mapped.columns]

    def rows(self, value: str) -> list[dict[str, Any]]:
        """The rows of one value, in the order of the key."""
        first, end = self.places.get(value, (0, 0))
        found = zip(*(array.slice(first, end - first).to_pylist() for array in self._arrays), strict=True)
        return [dict(zip(self._names, row, strict=True)) for row in found] if end > first else []
