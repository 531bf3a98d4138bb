"""The tasks of a topic, in three rounds.

1. A slice of its raw files becomes typed events, which go to buckets by their id.
2. A bucket of events tells duplicates, and rolls up what counts; the rows go to buckets by the rollup's person or day.
3. A bucket of the state takes them in, and writes its part of the views whose rows draw on one bucket.

Other views are made afterwards, from all buckets (`view_tasks.py`). A topic with one bucket is made in the first two
rounds, and one with a single slice as well in the first alone.
"""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from batch_layer.buckets import bucket_of, event_bucket, stands_in_buckets
from batch_layer.event_bucket import count_events
from batch_layer.handing_on import handed_on
from batch_layer.raw_slice import read_slice
from batch_layer.raw_table import each_once, load
from batch_layer.report import Report
from batch_layer.state import State
from batch_layer.steps import Handed, Inbox, Rows
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import BatchError
from batch_layer.view_rows import carry_part, write_view
from catalogue.sql.dialect import connect, rows_of
from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from runtime.errors import PlatformError
from runtime.storage.store import Entry

EVENTS = "events"


@dataclass(frozen=True)
class TopicPart(ABC):
    """A task of a topic's plan."""

    plan: TopicPlan
    number: int

    @property
    def key(self) -> str:
        """Unique in a round, as each topic has its own numbers."""
        return f"{self.plan.task.topic}/{self.number}"

    def run(self, inbox: Inbox) -> Iterator[Handed]:
        """Do it; a failure is a report that names the topic."""
        started = time.monotonic()
        try:
            yield from self._run(inbox)
        except (PlatformError, OSError, duckdb.Error, ValueError) as error:
            yield Report(self.plan.task.topic, failure=" ".join(str(error).split()))
        except Exception as error:  # nobody foresaw it, but it must not read as a failure of Spark
            text = f"{type(error).__name__}: {' '.join(str(error).split())}"
            yield Report(self.plan.task.topic, failure=text)
        yield Report(self.plan.task.topic, seconds=time.monotonic() - started)

    @abstractmethod
    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        """What it hands on, a report among it."""

    @contextmanager
    def _connected(self, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(connect()) as con, tempfile.TemporaryDirectory(dir=scratch) as spilled:
            con.execute(f"SET temp_directory = '{spilled}'")
            if self.plan.task.memory:
                con.execute(f"SET memory_limit = '{self.plan.task.memory}'")
            yield con

    def _state(self, con: duckdb.DuckDBPyConnection, scratch: Path) -> State:
        task = self.plan.task
        return State(con, task.output, scratch, task.topic, task.run, self.number, self.plan.base_files(self.number))

    def _handed(
        self, con: duckdb.DuckDBPyConnection, query: str, relation: str, bucket: str, scratch: Path
    ) -> Iterator[Rows]:
        """The rows of a query, for the buckets that the expression `bucket` says."""
        return handed_on(con, query, relation, self.plan.task.topic, bucket, self.plan.buckets, scratch)


@dataclass(frozen=True)
class SliceTask(TopicPart):
    """A slice of the raw files. Where it is all that there is, and one bucket takes it, that is filled at once."""

    files: tuple[Entry, ...]
    is_whole: bool

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch = inbox.folder
        with self._connected(scratch) as con:
            report = read_slice(con, self.plan, self.number, self.files)
            if self.is_whole and not report.again:
                _fill(self, con, scratch, report)
            yield report
            if not self.is_whole and not report.again:
                yield from self._handed(con, f"FROM {EVENTS}", EVENTS, event_bucket(self.plan.buckets), scratch)


@dataclass(frozen=True)
class EventTask(TopicPart):
    """A bucket of events."""

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch, task = inbox.folder, self.plan.task
        report = Report(task.topic)
        with self._connected(scratch) as con:
            if files := inbox.files[EVENTS]:
                con.execute(f"CREATE TABLE {EVENTS} AS FROM {rows_of(*files)}")
                for file in files:
                    file.unlink()
                each_once(con)
            else:
                load(con, task.topic, {})
            if self.plan.buckets == 1:
                _fill(self, con, scratch, report)
                yield report
                return
            state = self._state(con, scratch)
            count_events(state, self.plan, report)
            report.states = state.written
            yield report
            if report.again:
                return
            for rollup in task.rollups:
                rows = _named(rollup, con, f"CREATE TABLE {rollup.name} AS {rollup.roll_up('counted')}")
                yield from self._handed(con, rows, rollup.name, bucket_of(rollup.shard, self.plan.buckets), scratch)
                con.execute(f"DROP TABLE {rollup.name}")


@dataclass(frozen=True)
class StateTask(TopicPart):
    """A bucket of the state, of several."""

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch, task, plan = inbox.folder, self.plan.task, self.plan
        report = Report(task.topic)
        views = [v for v in task.views if stands_in_buckets(v, v.rollups(ROLLUPS))]
        base = plan.base_files(self.number)
        if base is not None and not any(inbox.files.values()) and all(map(plan.knows, views)):
            report.states = {r.name: {str(self.number): base[r.name]} for r in task.rollups}
            for view in views:
                carry_part(task, view, self.number, scratch, report)
            yield report
            return
        with self._connected(scratch) as con:
            state = self._state(con, scratch)
            for rollup in task.rollups:
                state.open(rollup.name, rollup.types)
                files = inbox.files[rollup.name]
                rows = f"FROM {rows_of(*files)}" if files else f"FROM settled_{rollup.name} LIMIT 0"
                _add_up(state, rollup, rollup.merge(f"({rows})"))
            state.save_rollups(task.rollups)
            report.states = state.written
            for view in views:
                write_view(state, view, report, task.base if plan.knows(view) else None)
            yield report


def _fill(part: TopicPart, con: duckdb.DuckDBPyConnection, scratch: Path, report: Report) -> None:
    """Make the state and the views of a topic with one bucket of `events`."""
    plan, task = part.plan, part.plan.task
    state = part._state(con, scratch)
    count_events(state, plan, report)
    if report.again:
        return
    for rollup in task.rollups:
        state.open(rollup.name, rollup.types)
        _add_up(state, rollup, rollup.roll_up("counted"))
    state.save_rollups(task.rollups)
    report.states = state.written
    for view in task.views:
        write_view(state, view, report, task.base if plan.knows(view) else None)


def _add_up(state: State, rollup: Rollup, fresh: str) -> None:
    try:
        state.add_up(rollup, fresh)
    except duckdb.Error as error:
        raise BatchError(f"rollup '{rollup.name}': {str(error).splitlines()[0]}") from error


def _named(rollup: Rollup, con: duckdb.DuckDBPyConnection, statement: str) -> str:
    try:
        con.execute(statement)
    except duckdb.Error as error:
        raise BatchError(f"rollup '{rollup.name}': {str(error).splitlines()[0]}") from error
    return f"FROM {rollup.name}"
