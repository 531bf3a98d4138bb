"""Rows in the order of their times, whatever order and files they come in; what memory doesn't hold is on disk."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from ingestion_layer.replay.identity import DIGEST

# Rows are kept as bytes that sort as they should: moment, rank, digest, file, number, and then the content.
_KEY = struct.Struct(f">QB{DIGEST}sIQ")
_SIZE = struct.Struct(">I")
IN_MEMORY = 64 * 2**20
OVERHEAD = 60


class Spooled(NamedTuple):
    """A row: `digest` is that of what its identity is made of, `number` its place in the file of that number."""

    moment: int
    digest: bytes
    file: int
    number: int
    content: bytes


class Spool:
    """Sorts rows by moment; of one moment by rank, and then by digest, so that nothing depends on files and places.

    Takes about `in_memory` bytes of memory, and as much of the temporary folder as the rows take.
    """

    def __init__(self, in_memory: int = IN_MEMORY):
        self._in_memory = in_memory
        self._rows: list[bytes] = []
        self._size = 0
        self._runs: list[IO[bytes]] = []

    def add(self, row: Spooled, rank: int = 0) -> None:
        """Take a row; `rank` tells which of one moment comes first."""
        packed = _KEY.pack(row.moment, rank, row.digest, row.file, row.number) + row.content
        self._rows.append(packed)
        self._size += len(packed) + OVERHEAD
        if self._size > self._in_memory:
            self._write()

    def __iter__(self) -> Iterator[Spooled]:
        """All rows; the spool is empty afterwards."""
        self._rows.sort()
        runs = [_read(run) for run in self._runs]
        rows = heapq.merge(*runs, _consumed(self._rows)) if runs else _consumed(self._rows)
        unpack, head = _KEY.unpack_from, _KEY.size
        for packed in rows:
            moment, _, digest, file, number = unpack(packed)
            yield Spooled(moment, digest, file, number, packed[head:])
        for run in self._runs:
            run.close()
        self._runs = []

    def _write(self) -> None:
        self._rows.sort()
        run = tempfile.TemporaryFile(buffering=2**17)  # noqa: SIM115  it lives as long as the spool
        for row in self._rows:
            run.write(_SIZE.pack(len(row)))
            run.write(row)
        run.seek(0)
        self._runs.append(run)
        self._rows, self._size = [], 0


def _read(run: IO[bytes]) -> Iterator[bytes]:
    while size := run.read(_SIZE.size):
        yield run.read(_SIZE.unpack(size)[0])


def _consumed(rows: list[bytes]) -> Iterator[bytes]:
    rows.reverse()
    while rows:
        yield rows.pop()
