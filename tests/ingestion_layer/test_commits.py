"""Manifests of what is landed: the newest is the truth, of two ingesters one wins, files written in vain go."""

from __future__ import annotations

import pytest

from catalogue.at_rest.raw_files import CommittedFile, RawName
from catalogue.at_rest.raw_files import commits as all_commits
from ingestion_layer.commits import Commits, IngestError, TakenOver, remove_orphans
from runtime.storage.opening import open_store

TOPIC = "video_topic"


@pytest.fixture
def raw(tmp_path):
    return open_store(str(tmp_path))


def entry(read: int, unparseable: int = 0, invalid: int = 0) -> dict[str, int]:
    return {"read": read, "landed": read - unparseable, "unparseable": unparseable, "invalid": invalid}


def raw_path(topic: str, partition: int, day: str, first: int, last: int, number: int) -> str:
    return RawName(topic, day, partition, first, last, number).path


def commit(commits: Commits, raw, first: int, end: int, partition: str = "0", **fates: int) -> None:
    path = raw_path(TOPIC, int(partition), "2026-03-01", first, end - 1, commits.number + 1)
    landed = CommittedFile(path, TOPIC, int(partition), first, end - 1, end - first, 9)
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
    manifests = all_commits(raw)
    assert [m.commit for m in manifests] == list(range(1, 14))
    assert manifests[-1].ranges == {TOPIC: {"3": [5, 8]}} and manifests[-1].files[0].events == 3


def test_an_open_ledger_is_not_committed(raw):
    wrong = {**entry(5), "landed": 4}
    with pytest.raises(IngestError, match="video_topic partition 0: ledger must close; got .*'landed': 4"):
        Commits().add(raw, {TOPIC: {"0": [0, 5]}}, [], {TOPIC: {"0": wrong}})
    assert raw.list() == []


def test_who_takes_over_keeps_the_earlier_one_from_committing(raw):
    one, other = Commits.newest(raw), Commits.newest(raw)
    one.take_over(raw)
    commit(one, raw, 0, 10)
    with pytest.raises(TakenOver, match="commit 1: another ingester made it; only one may run"):
        other.take_over(raw)
    other = Commits.newest(raw)
    other.take_over(raw)
    with pytest.raises(TakenOver, match="commit 3: another ingester made it"):
        commit(one, raw, 10, 20)
    assert one.head == other.head == {TOPIC: {"0": 10}} and Commits.newest(raw).takeovers == [1, 3]
    commit(other, raw, 10, 12)
    assert Commits.newest(raw) == other and other.total == {TOPIC: {"0": entry(12)}}


def test_orphaned_files_are_removed_and_nothing_else(raw):
    commits = Commits(number=12, takeovers=[4, 7, 12])
    kept = [
        raw_path(TOPIC, 0, "2026-03-01", 0, 9, 1),
        raw_path(TOPIC, 0, "2026-03-02", 10, 19, 11),
        raw_path(TOPIC, 1, "2026-03-01", 4, 4, 8),
        f"topic={TOPIC}/date=2026-03-01/part-from-another-tool.json",
        f"topic={TOPIC}/date=2026-03-01/other.json.gz",
        "_commits/00000000000000000001.json",
    ]
    left = [
        raw_path(TOPIC, 0, "2026-03-02", 10, 19, 12),
        raw_path(TOPIC, 0, "2026-03-02", 0, 9, 4),
        raw_path(TOPIC, 1, "2026-03-02", 5, 5, 7),
        raw_path("auth_topic", 0, "2026-03-02", 0, 0, 13),
    ]
    for path in kept + left:
        raw.write(path, b"x")
    assert remove_orphans(raw, commits) == len(left)
    assert [e.path for e in raw.list()] == sorted(kept)
    assert remove_orphans(raw, commits) == 0
