"""What is known of the horizon: the same after any restart and from any segments, and only what is below the head."""

from __future__ import annotations

from random import Random

import pytest

from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.runs import CURRENT, current, run_path
from speed_layer import horizon
from speed_layer.horizon import SEGMENTS
from tests.laws.test_merged import Platform
from tests.oracle.counting import Record, count_once
from tests.oracle.histories import history
from tests.oracle.validity import Invalid, judge


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """A platform whose segments are cut after few sightings."""
    monkeypatch.setattr(horizon, "MOST_RECENT", 60)
    platform = Platform(tmp_path, history(31, 600, topics=("auth_topic", "video_topic")), 31)
    yield platform
    platform.speed.close()


def counted(platform: Platform) -> dict[str, int]:
    """Events that the deltas count, by topic."""
    found: dict[str, int] = {}
    for delta in read_deltas(platform.speed_store):
        for topic, entries in delta.ledger.items():
            found[topic] = found.get(topic, 0) + sum(entry["counted"] for entry in entries.values())
    return found


def expected(platform: Platform) -> dict[str, int]:
    """The same, by the oracle."""
    return {t: len(count_once(t, platform.records).events) for t in ("auth_topic", "video_topic")}


def segments(platform: Platform) -> list[str]:
    return [entry.path for entry in platform.speed_store.list(SEGMENTS)]


def valid(record: Record) -> bool:
    """Whether the record is an event with an id, which alone is seen."""
    try:
        return judge(record.topic, record.kafka_timestamp, record.value).event_id is not None
    except Invalid:
        return False


def finished(platform: Platform) -> None:
    while platform.waiting():
        platform.micro_batch(0.6)


def restarted(platform: Platform) -> None:
    platform.speed.close()
    platform.speed = platform.new_speed()


def test_repetitions_are_found_in_segments_after_a_restart(platform):
    while len(segments(platform)) < 2:
        platform.micro_batch(0.2)
    restarted(platform)
    known = platform.speed.horizon.known()
    assert [f.path for f in known.files] == segments(platform), (
        "a start reads no file of a delta that a segment tells of"
    )
    finished(platform)
    assert counted(platform) == expected(platform)


def test_a_lost_segment_loses_nothing(platform):
    while len(segments(platform)) < 2:
        platform.micro_batch(0.2)
    platform.speed_store.delete(segments(platform)[:1])
    restarted(platform)
    finished(platform)
    assert counted(platform) == expected(platform)


def test_many_segments_become_one(platform, monkeypatch):
    monkeypatch.setattr(horizon, "MERGED_AT_ONCE", 3)
    while len(segments(platform)) < 3:
        platform.micro_batch(0.2)
    before = segments(platform)
    assert platform.speed.horizon.merge_segments(platform.speed.head) == 3
    assert len(platform.speed.horizon.known().files) == len(before) - 2
    assert set(before) < set(segments(platform)), "a running micro-batch may still ask for those that were merged"
    platform.speed.horizon.merge_segments(platform.speed.head)
    assert not set(before[:3]) & set(segments(platform))
    finished(platform)
    assert counted(platform) == expected(platform)


def test_an_orphaned_delta_s_sightings_beyond_the_head_are_not_known(platform):
    """An older run that is published again takes the head back: what was taken beyond it is taken once more."""
    platform.micro_batch(0.3)
    platform.run_batch(at_boundary=False)
    platform.micro_batch(0.3)
    platform.run_batch(at_boundary=False)
    finished(platform)
    reached = sum(end for ends in platform.speed.head.values() for end in ends.values())
    platform.batch.write(CURRENT, platform.batch.read(run_path("r001")))
    restarted(platform)
    assert platform.speed.horizon.known().files, "segments tell of what was taken beyond the head"
    assert sum(end for ends in platform.speed.head.values() for end in ends.values()) < reached
    finished(platform)
    run = current(platform.batch)[0]
    for topic, count in expected(platform).items():
        entries = [*run.ledger[topic].values()]
        for delta in platform.speed.deltas.chain(topic, run.cut[topic]):
            entries += delta.ledger.get(topic, {}).values()
        assert sum(entry["counted"] for entry in entries) == count


def test_segments_beyond_the_horizon_are_forgotten(platform):
    """Beyond that of the partition that is furthest behind, as its next event may be that old."""
    finished(platform)
    stream, places = platform.speed, {r[:2] for r in platform.records}
    behind = min(max(r.kafka_timestamp for r in platform.records if r[:2] == place and valid(r)) for place in places)
    arrivals = [r.kafka_timestamp for r in platform.records]
    assert stream.horizon.forget_old((max(arrivals) - min(arrivals)).days + 1, stream.head) == 0
    before = segments(platform)
    old = [path for path in before if int(path.split("-")[-2]) < int(behind.timestamp())]
    assert stream.horizon.forget_old(0, stream.head) == len(old) and 0 < len(old) < len(before)
    assert not {f.path for f in stream.horizon.known().files} & set(old)
    stream.horizon.merge_segments(stream.head)
    assert not set(segments(platform)) & set(old)


def test_leftover_segments_are_removed(platform):
    while not segments(platform):
        platform.micro_batch(0.2)
    mine = segments(platform)
    platform.speed_store.write(f"{SEGMENTS}others/{1:020}-{1:020}-5-9-abc.parquet", b"of other rules")
    platform.speed_store.write(f"{SEGMENTS}{platform.speed.deltas.rules}/{900:020}-{901:020}-5-9-abc.parquet", b"gone")
    restarted(platform)
    assert segments(platform) == mine


@pytest.mark.parametrize("tasks_see", ["one after the other", "at once"])
def test_an_id_in_two_partitions_counts_once(tmp_path, monkeypatch, tasks_see):
    """Each task judges the partitions that it has; where two have sightings of one id, one judges them together."""
    monkeypatch.setattr("tests.laws.micro_batch.MOST_TASKS", 8)
    platform = Platform(tmp_path, history(33, 200, topics=("auth_topic",)), 33)
    copied = [r._replace(partition=r.partition + 2) for r in platform.records]
    if tasks_see == "at once":
        platform.records = [*platform.records, *copied]
        platform.speed = platform.new_speed()
        platform.rng = Random(2)
        finished(platform)
    else:
        finished(platform)
        platform.records = [*platform.records, *copied]
        platform.speed = platform.new_speed()
        finished(platform)
    ids_once = len(count_once("auth_topic", platform.records).events)
    assert counted(platform)["auth_topic"] == ids_once
