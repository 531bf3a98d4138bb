"""Manifests of deltas, and the chains, trails and cuts that follow from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalogue.at_rest.deltas import Delta, boundary, chain, manifest_path, reached, read_delta, read_deltas, trail
from catalogue.at_rest.manifest import Damaged
from runtime.storage.opening import open_store

TOPIC = "auth_topic"


def delta(number: int, first: int, end: int, last: int | None = None, **more: Any) -> Delta:
    """A delta of one topic's only partition."""
    moment = f"2026-03-01T08:00:{number:02}.000Z"
    ranges = {TOPIC: {"0": [first, end]}}
    given: dict[str, Any] = {
        "number": number,
        "last": last or number,
        "created_at": moment,
        "ranges": ranges,
        "ledger": {},
        "origin": {},
    }
    return Delta(**given | more)


def numbers(deltas: list[Delta]) -> list[int]:
    return [d.number for d in deltas]


def test_a_manifest_is_read_as_it_was_written_with_what_later_releases_add(tmp_path):
    store, made = open_store(str(tmp_path)), delta(3, 5, 9, 4, newest={TOPIC: "2026-03-01T08:00:03.000Z"})
    assert made.path == manifest_path(3, 4) == f"_deltas/{3:020}-{4:020}.json"
    store.write(made.path, made.encoded())
    assert read_delta(store, made.path) == made == read_deltas(store)[0]
    later = json.loads(made.encoded()) | {"colour": "blue"}
    store.write(made.path, json.dumps(later).encode())
    assert json.loads(read_delta(store, made.path).encoded()) == later
    before = {k: v for k, v in json.loads(made.encoded()).items() if k != "schema_version"}
    store.write(made.path, json.dumps(before).encode())
    assert read_delta(store, made.path) == made, "manifests without a version are those of the first form"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"number": "3"}, 'field number must be a whole number; got "3"'),
        ({"ranges": {TOPIC: {"0": [5]}}}, f"field ranges.{TOPIC}.0 must be [from, to); got [5]"),
        ({"ranges": {TOPIC: {"0": [5, 4]}}}, f"field ranges.{TOPIC}.0 must be [from, to); got [5, 4]"),
        ({"ledger": {TOPIC: {"0": {"read": 1.5}}}}, f"field ledger.{TOPIC}.0.read must be a whole number; got 1.5"),
        ({"schema_version": 2}, "schema_version must be at most 1; got 2"),
    ],
)
def test_a_damaged_manifest_names_the_object_and_the_field(tmp_path, damage, told):
    store, made = open_store(str(tmp_path)), delta(3, 5, 9)
    store.write(made.path, json.dumps(json.loads(made.encoded()) | damage).encode())
    with pytest.raises(Damaged) as refused:
        read_deltas(store)
    assert str(refused.value) == f"storage {tmp_path}: {made.path}: {told}"


def test_a_chain_leads_on_from_its_cut_and_prefers_compacted_deltas():
    single = [delta(n, n * 10, n * 10 + 10) for n in range(1, 5)]
    compacted = delta(1, 10, 30, 2)
    assert numbers(chain(single, TOPIC, {"0": 20})) == [2, 3, 4]
    assert numbers(chain([*single, compacted], TOPIC, {"0": 10})) == [1, 3, 4]
    assert chain(single, TOPIC, {"0": 15}) == [] and reached(single, TOPIC, {"0": 15}) == {"0": 15}
    assert reached(single[:1] + single[2:], TOPIC, {"0": 10}) == {"0": 20}, "a chain ends at a gap"
    newer = delta(9, 30, 60)
    assert numbers(chain([*single, newer], TOPIC, {"0": 10})) == [1, 2, 9]


def test_a_chain_without_a_cut_begins_at_its_origin():
    first = delta(1, 7, 9, origin={TOPIC: {"0": 7}})
    assert numbers(chain([first], TOPIC, {})) == [1]
    assert chain([delta(1, 7, 9)], TOPIC, {}) == [], "what is before offset 7 would be missing"


def test_a_trail_has_gaps_but_no_event_twice():
    orphaned = delta(2, 5, 25)
    deltas = [delta(1, 0, 10), orphaned, delta(3, 20, 30), delta(4, 40, 50), delta(5, 50, 50)]
    assert numbers(trail(deltas, TOPIC)) == [1, 3, 4]


def test_a_batch_run_cuts_where_a_delta_ends():
    deltas = [delta(n, n * 10, n * 10 + 10) for n in range(1, 4)]
    assert boundary(deltas, TOPIC, {"0": 10}, {"0": 35}) == {"0": 30}
    assert boundary(deltas, TOPIC, {"0": 10}, {"0": 40}) == {"0": 40}
    assert boundary(deltas, TOPIC, {"0": 10}, {"0": 15}) == {"0": 10}, "no delta ends between the two"


def test_a_batch_run_takes_all_where_it_need_not_wait():
    deltas = [delta(n, n * 10, n * 10 + 10) for n in range(1, 4)]
    assert boundary(deltas, TOPIC, {"0": 10}, {"0": 41}) is None, "the chain ends before what has landed"
    assert boundary(deltas, TOPIC, {"0": 15}, {"0": 40}) is None, "no chain leads on"
    assert boundary([], TOPIC, {}, {"0": 40}) is None, "the first run"
    assert boundary([], TOPIC, {"0": 40}, {"0": 40}) == {"0": 40}, "nothing new"
