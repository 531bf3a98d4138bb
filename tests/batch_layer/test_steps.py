"""Rounds of tasks: what a task hands on arrives at the task of the next round that it names, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from batch_layer.report import Report, summed
from batch_layer.steps import Handed, Inbox, Rows, in_threads


@dataclass(frozen=True)
class Giver:
    """Hands its name to every taker, under its own relation and a common one."""

    key: str
    takers: int

    def run(self, inbox: Inbox) -> Iterator[Handed]:
        assert not inbox.files
        yield Report("topic", events=1)
        for taker in range(self.takers):
            yield Rows(str(taker), "common", f"{self.key} for {taker}".encode())
            yield Rows(str(taker), self.key, self.key.encode())


@dataclass(frozen=True)
class Taker:
    """Reports what it was handed."""

    key: str

    def run(self, inbox: Inbox) -> Iterator[Handed]:
        found = {relation: sorted(file.read_text() for file in files) for relation, files in inbox.files.items()}
        yield Report("topic", states={self.key: found})
        (inbox.folder / "scratch").write_text("")


def test_rows_reach_the_tasks_that_they_are_for(tmp_path):
    givers = [Giver(name, 3) for name in "abcd"]
    reports = in_threads([givers, [Taker(str(number)) for number in range(4)]], 2, tmp_path)
    found = summed("topic", reports)
    assert found.events == 4
    for number in "012":
        common = [f"{name} for {number}" for name in "abcd"]
        assert found.states[number] == {"common": common, **{name: [name] for name in "abcd"}}
    assert found.states["3"] == {}, "a task to which nothing is handed runs as well"
    assert not list(tmp_path.iterdir()), "no scratch is left"
