"""The same seed gives the same bytes as ever: those of the simulation before it was cut into rooms."""

from __future__ import annotations

import hashlib

import pytest

from tests.ingestion_layer.test_producer import produce

BEFORE = {
    "--events 20000 --seed 5 --late 0.1 --duplicates 0.1 --invalid 0.1": "bc9938adb1d04910",
    "--events 15000 --seed 11 --start 2026-03-08 --end 2026-03-09 --late 0.3": "6873ead3c58a9327",
    "--events 2000 --seed 3 --students 2 --courses 30": "930e8b37f555c1cb",
    "--events 9000 --seed 21 --students 5000 --courses 300 --late 1": "58239b3bbd493aec",
}


@pytest.mark.parametrize("options", BEFORE)
def test_a_seed_gives_the_bytes_that_it_always_gave(options):
    """Whoever changes what is generated on purpose writes the new sums here."""
    assert hashlib.sha256(produce(*options.split(), "--output", "-").stdout).hexdigest()[:16] == BEFORE[options]
