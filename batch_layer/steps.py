"""The steps of a run: rounds of tasks, of which each hands rows to tasks of the next round, in threads or by Spark.

A task is a value that can be pickled. It may be run twice, or half: only what the one that ended handed on is used.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from batch_layer.report import Report
from runtime.scratch import own_scratch
from runtime.spark.workers import forget_zip_archives


@dataclass(frozen=True)
class Rows:
    """Rows of a relation, as the bytes of a Parquet file, for the task of the next round whose key is `to`."""

    to: str
    relation: str
    data: bytes


Handed = Rows | Report


class Inbox:
    """What was handed to a task: Parquet files by relation, in a folder of its own that it may write into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, list[Path]] = defaultdict(list)

    def take(self, rows: Rows) -> None:
        """Keep rows until the task reads them."""
        file = self.folder / f"handed-{sum(map(len, self.files.values())):06}.parquet"
        file.write_bytes(rows.data)
        self.files[rows.relation].append(file)


class Task(Protocol):
    """A task of a round; Reports go to whoever runs the rounds."""

    @property
    def key(self) -> str:
        """Its name among the tasks of its round."""

    def run(self, inbox: Inbox) -> Iterator[Handed]:
        """Do it. Its failures are reports."""


Round = Sequence[Task]


def in_threads(
    rounds: Sequence[Round], threads: int, scratch: Path, ended: Callable[[], None] = lambda: None
) -> list[Report]:
    """Run rounds in this process, `threads` tasks beside each other; what was reported. `ended` is told of each."""
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(dir=scratch) as folder, ThreadPoolExecutor(threads) as pool:
        waiting: dict[str, list[tuple[str, Path]]] = {}

        def done(place: int, task: Task) -> list[tuple[str, str, Path]]:
            """What a task has handed on: to whom, of which relation, and the file that keeps it."""
            kept: list[tuple[str, str, Path]] = []
            with tempfile.TemporaryDirectory(dir=folder) as own:
                inbox = Inbox(Path(own))
                for relation, file in waiting.get(task.key, ()):
                    inbox.files[relation].append(file)
                for handed in task.run(inbox):
                    if isinstance(handed, Report):
                        reports.append(handed)
                        continue
                    # Kept as a file at once: all of a task's rows may be more than memory.
                    file = Path(folder) / f"{number}-{place}-{len(kept)}.parquet"
                    file.write_bytes(handed.data)
                    kept.append((handed.to, handed.relation, file))
            for _, file in waiting.get(task.key, ()):
                file.unlink(missing_ok=True)
            return kept

        for number, tasks in enumerate(rounds):  # noqa: B007 (`done` reads it)
            handed_on = []
            for kept_by_one in pool.map(done, range(len(tasks)), tasks):
                handed_on.append(kept_by_one)
                ended()
            waiting = defaultdict(list)
            for to, relation, file in (one for kept in handed_on for one in kept):
                waiting[to].append((relation, file))
    return reports


def by_spark(context: Any, rounds: Sequence[Round]) -> list[Report]:
    """Run rounds as one job of Spark, whose shuffle brings the rows to their tasks; what was reported."""
    handed: Any = None
    for number, tasks in enumerate(rounds):
        following = rounds[number + 1] if number + 1 < len(rounds) else ()
        places = {task.key: place for place, task in enumerate(following)}
        step = _Step(tuple(tasks), places)
        if handed is None:
            handed = context.parallelize(range(len(tasks)), len(tasks)).flatMap(step.first)
        else:
            handed = handed.partitionBy(len(tasks), _same).mapPartitionsWithIndex(step.later)
    return [found for _, found in handed.collect()]


def _same(place: int) -> int:
    return place


@dataclass(frozen=True)
class _Step:
    """A round as Spark's functions; `places` are the next round's tasks by key. Reports pass through at place 0."""

    tasks: tuple[Task, ...]
    places: dict[str, int]

    def first(self, place: int) -> Iterator[tuple[int, Handed]]:
        yield from self.later(place, ())

    def later(self, place: int, handed: Iterable[tuple[int, Handed]]) -> Iterator[tuple[int, Handed]]:
        with own_scratch() as folder:
            inbox = Inbox(folder)
            for _, one in handed:
                if isinstance(one, Report):
                    yield 0, one
                else:
                    inbox.take(one)
            for one in self.tasks[place].run(inbox):
                yield (0 if isinstance(one, Report) else self.places[one.to]), one
        forget_zip_archives()
