"""What a speed layer goes on from: not from other rules, into partitions that were added, knowing every id."""

from __future__ import annotations

import json

from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.runs import current
from tests.laws.test_merged import Platform, check, opened
from tests.oracle.histories import history


def checked(platform: Platform) -> None:
    """Everything is taken, and the merged answers are the oracle's."""
    while platform.waiting():
        platform.micro_batch(1.0)
    state = opened(platform)
    try:
        check(platform, state)
    finally:
        state.stop()


def test_deltas_of_other_rules_are_dropped_and_made_anew(tmp_path):
    platform = Platform(tmp_path, history(21, 900), 21)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.5)
    store = platform.speed_store
    for delta in read_deltas(store):
        store.write(delta.path, json.dumps(json.loads(store.read(delta.path)) | {"rules": "others"}).encode())
    last = max(d.last for d in read_deltas(store))
    platform.speed = platform.new_speed()
    assert read_deltas(store) == [] and store.list("data/") == []
    cut = current(platform.batch)[0].cut
    assert all(platform.speed.head[topic][p] == end for topic, ends in cut.items() for p, end in ends.items())
    platform.micro_batch(0.5)
    assert [d.number for d in read_deltas(store)] == [last + 1]
    checked(platform)


def test_a_partition_that_is_added_begins_at_its_first_offset(tmp_path):
    platform = Platform(tmp_path, history(22, 900), 22)
    added = {t: max(heads) for t, heads in platform.speed.head.items()}
    records, platform.records = platform.records, [r for r in platform.records if str(r.partition) != added[r.topic]]
    platform.speed = platform.new_speed()
    platform.micro_batch(0.5)
    assert all(added[t] not in heads for t, heads in platform.speed.head.items())
    platform.records = records
    platform.micro_batch(0.5)
    platform.run_batch(at_boundary=True)
    assert read_deltas(platform.speed_store)[-1].ranges["video_topic"][added["video_topic"]][0] == 0
    platform.speed = platform.new_speed()
    assert len(read_deltas(platform.speed_store)) == 2
    checked(platform)
