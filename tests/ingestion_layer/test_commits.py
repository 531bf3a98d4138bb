"""Manifests of what is landed: the newest is the truth, of two ingesters one wins, a killed run's files go."""

from __future__ import annotations

import json

import pytest

from catalogue.storage import open_store
from ingestion_layer.commits import Commits, IngestError, Landed, remove_leftovers
from ingestion_layer.landing import raw_path

TOPIC = "video_topic"


@pytest.fixture
def raw(tmp_path):
    return open_store(str(tmp_path))


def entry(read: int, unparseable: int = 0, invalid: int = 0) -> dict[str, int]:
    return {"read": read, "landed": read - unparseable, "unparseable": unparseable, "invalid": invalid}


def commit(commits: Commits, raw, first: int, end: int, partition: str = "0", **fates: int) -> None:
    path = raw_path(TOPIC, int(partition), "2026-03-01", first, end - 1)
    landed = Landed(path, TOPIC, int(partition), first, end - 1, end - first, 9)
    commits.add(raw, {TOPIC: {partition: [first, end]}}, [landed], {TOPIC: {partition: entry(end - first, **fates)}})


def test_the_newest_manifest_says_where_to_go_on(raw):
    assert Commits.newest(raw) == Commits()
    commits = Commits.newest(raw)
    for start in range(12):
        commit(commits, raw, start * 10, start * 10 + 10, unparseable=1)
    commit(commits, raw, 5, 8, partition="3", invalid=2)
    found = Commits.newest(raw)
    assert (found.number, found.head) == (13, {TOPIC: {"0": 120, "3": 8}})
    assert found.total == {TOPIC: {"0": {**entry(120, 12)}, "3": entry(3, invalid=2)}} == commits.total
    manifests = [json.loads(raw.read(e.path)) for e in raw.list("_commits/")]
    assert [m["commit"] for m in manifests] == list(range(1, 14))
    assert manifests[-1]["ranges"] == {TOPIC: {"3": [5, 8]}} and manifests[-1]["files"][0]["events"] == 3


def test_an_open_ledger_is_not_committed(raw):
    wrong = {**entry(5), "landed": 4}
    with pytest.raises(IngestError, match="video_topic partition 0: ledger must close; got .*'landed': 4"):
        Commits().add(raw, {TOPIC: {"0": [0, 5]}}, [], {TOPIC: {"0": wrong}})
    assert raw.list() == []


def test_of_two_ingesters_the_slower_stops(raw):
    one, other = Commits.newest(raw), Commits.newest(raw)
    commit(one, raw, 0, 10)
    before = raw.read("_commits/00000000000000000001.json")
    with pytest.raises(IngestError, match="commit 1: another ingester made it; only one may run"):
        commit(other, raw, 0, 12)
    assert raw.read("_commits/00000000000000000001.json") == before and other.head == {}


def test_what_a_killed_run_left_is_removed_and_nothing_else(raw):
    head = {TOPIC: {"0": 20, "1": 5}}
    kept = [
        raw_path(TOPIC, 0, "2026-03-01", 0, 9),
        raw_path(TOPIC, 0, "2026-03-02", 10, 19),
        raw_path(TOPIC, 1, "2026-03-01", 4, 4),
        f"topic={TOPIC}/date=2026-03-01/part-from-another-tool.json",
        f"topic={TOPIC}/date=2026-03-01/other.json.gz",
        "_commits/00000000000000000001.json",
    ]
    left = [
        raw_path(TOPIC, 0, "2026-03-02", 20, 29),
        raw_path(TOPIC, 1, "2026-03-02", 5, 5),
        raw_path(TOPIC, 2, "2026-03-02", 0, 9),
        raw_path("auth_topic", 0, "2026-03-02", 0, 0),
    ]
    for path in kept + left:
        raw.write(path, b"x")
    assert remove_leftovers(raw, head) == len(left)
    assert [e.path for e in raw.list()] == sorted(kept)
    assert remove_leftovers(raw, head) == 0
