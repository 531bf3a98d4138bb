"""Rows in the order of their times, from memory and from disk."""

from random import Random

import pytest

from ingestion_layer.replay.identity import digest
from ingestion_layer.replay.spool import Spool, Spooled


@pytest.mark.parametrize("in_memory", [10, 1_000, 10**9])
def test_rows_come_sorted_whatever_memory_holds(in_memory):
    rng = Random(in_memory)
    rows = [
        (
            Spooled(rng.randrange(50), digest(bytes([rng.randrange(20)])), rng.randrange(3), n, b"x" * n),
            rng.randrange(4),
        )
        for n in range(300)
    ]
    spool = Spool(in_memory)
    for row, rank in rows:
        spool.add(row, rank)
    expected = [row for row, _ in sorted(rows, key=lambda r: (r[0].moment, r[1], r[0].digest, r[0].file, r[0].number))]
    assert list(spool) == expected
    assert list(spool) == []
