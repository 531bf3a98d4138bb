"""Trouble in a stream: each fault is one, duplicates are exact, and both are counted as made."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest

from ingestion_layer.replay import Replay
from ingestion_layer.trouble import FAULTS, NEARBY, Trouble
from tests.ingestion_layer.test_replay import PATHS
from tests.oracle.validity import is_valid

ARRIVED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def records() -> list[tuple[str, bytes, bytes]]:
    return list(Replay([PATHS["moodle"]], "moodle")) + list(Replay([PATHS["xapi"]], "xapi"))


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_makes_any_event_invalid(name, records):
    for topic, _, value in records[::5]:
        assert not is_valid(topic, ARRIVED, FAULTS[name](json.loads(value)))


def test_what_is_added_is_counted(records):
    trouble = Trouble(0.1, 0.1, "seed")
    made = list(trouble.add(records))
    times = Counter(value for _, _, value in made)
    assert all(times[value] in (1, 2) for _, _, value in records)
    assert sum(times[value] - 1 for _, _, value in records) == trouble.made["duplicate"] > 0
    good = {value for _, _, value in records}
    bad = [(topic, value) for topic, _, value in made if value not in good]
    assert len(bad) == trouble.made.total() - trouble.made["duplicate"] > 0
    assert not any(is_valid(topic, ARRIVED, value) for topic, value in bad)
    assert [r for r in made if r[2] in good and times.pop(r[2], 0)] == records, "the first of each, in its order"


def test_a_duplicate_follows_soon_under_the_same_key(records):
    made = list(Trouble(1.0, 0.0, "seed").add(records))
    first, second = {}, {}
    for place, (_, key, value) in enumerate(made):
        assert value not in second
        (second if value in first else first)[value] = (place, key)
    assert first.keys() == second.keys()
    for value, (place, key) in second.items():
        assert key == first[value][1] and 0 < place - first[value][0] <= 4 * NEARBY


def test_the_same_seed_makes_the_same_trouble(records):
    runs = [list(Trouble(0.2, 0.2, seed).add(records)) for seed in ("a", "a", "b")]
    assert runs[0] == runs[1] != runs[2]


def test_without_trouble_nothing_changes(records):
    trouble = Trouble(0.0, 0.0, "seed")
    assert list(trouble.add(records)) == records and trouble.made.total() == 0
