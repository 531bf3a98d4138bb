"""The tasks of views that draw on several buckets of the state.

Small ones are made whole, by one task that reads all buckets of their rollups. Of others a task per bucket hands the
rollups' rows on, by the column that their cut says, and each of the tasks that they come to makes a part of the views.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from batch_layer.handing_on import handed_on
from batch_layer.merged_table import make_table
from batch_layer.report import Report
from batch_layer.steps import Handed, Inbox, Rows
from batch_layer.topic_tasks import TopicPart
from batch_layer.view_cuts import Cut
from batch_layer.view_rows import write_view
from catalogue.sql.dialect import rows_of

LINKED = "linked"


@dataclass(frozen=True)
class WholeTask(TopicPart):
    """The views of a cut, made whole; `states` are the files of its rollups by name."""

    cut: Cut
    states: dict[str, list[str]]

    @property
    def key(self) -> str:
        """The cut's name."""
        return self.cut.name

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch, report = inbox.folder, Report(self.plan.task.topic)
        with self._connected(scratch) as con:
            for rollup in self.cut.rollups:
                make_table(con, rollup, self._parts(rollup.name, scratch))
            self._write(con, scratch, report)
            yield report

    def _parts(self, rollup: str, scratch: Path) -> Iterator[str]:
        """The rows of a rollup from the files of its state, of which one at a time is on the scratch disk."""
        for path in self.states[rollup]:
            local = scratch / "state.parquet"
            self.plan.task.output.download(path, local)
            yield f"FROM {rows_of(local)}"
            local.unlink()

    def _handed_on(
        self, con: duckdb.DuckDBPyConnection, query: str, relation: str, part: str, scratch: Path, columns: str = "*"
    ) -> Iterator[Rows]:
        """The rows of a query, for the parts of the cut that the expression `part` says."""
        return handed_on(con, query, relation, self.cut.name, part, self.cut.parts, scratch, columns)

    def _write(self, con: duckdb.DuckDBPyConnection, scratch: Path, report: Report) -> None:
        for view in self.cut.views:
            write_view(self._state(con, scratch), view, report, None)


@dataclass(frozen=True)
class SplitTask(WholeTask):
    """A bucket of the state, whose rows go to the tasks of a cut."""

    @property
    def key(self) -> str:
        """Unique in its round."""
        return f"{self.cut.name}/{self.number}"

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch = inbox.folder
        with self._connected(scratch) as con:
            for rollup in self.cut.rollups:
                name = rollup.name
                make_table(con, rollup, self._parts(name, scratch))
                yield from self._handed_on(con, f"FROM {name}", name, self.cut.bucket(name), scratch)
                con.execute(f"DROP TABLE {name}")


@dataclass(frozen=True)
class LinkTask(WholeTask):
    """The rows of some links of a cut: those of each link go to every task that has a person of it."""

    @property
    def key(self) -> str:
        """Where a SplitTask sends rows."""
        return f"{self.cut.name}/{self.number}"

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch, cut = inbox.folder, self.cut
        (view,) = cut.views
        with self._connected(scratch) as con:
            _take(con, cut, inbox)
            persons = " UNION ".join(
                f"SELECT DISTINCT {view.link} AS link, {cut.bucket_of_view(view, r.name)} AS part FROM {r.name}"
                for r in cut.rollups
            )
            con.execute(f"CREATE TABLE {LINKED} AS {persons}")
            for rollup in cut.rollups:
                # What has no link belongs to its own person alone.
                rows = f"""SELECT r.*, {LINKED}.part AS to_part FROM {rollup.name} AS r JOIN {LINKED}
                    ON r.{view.link} = {LINKED}.link UNION ALL BY NAME
                    SELECT *, {cut.bucket_of_view(view, rollup.name)} AS to_part FROM {rollup.name}
                    WHERE {view.link} IS NULL"""
                columns = ", ".join(rollup.types)
                yield from self._handed_on(con, rows, rollup.name, "to_part", scratch, columns)


@dataclass(frozen=True)
class PartTask(WholeTask):
    """A part of the views of a cut, made of the rows that were handed to it."""

    @property
    def key(self) -> str:
        """Where the tasks before send rows."""
        return f"{self.cut.name}/{self.number}"

    def _run(self, inbox: Inbox) -> Iterator[Handed]:
        scratch, report = inbox.folder, Report(self.plan.task.topic)
        with self._connected(scratch) as con:
            _take(con, self.cut, inbox)
            for view in self.cut.views:
                mine = f"{self.cut.bucket_of_view(view)} = {self.number}" if self.cut.is_linked else ""
                write_view(self._state(con, scratch), view, report, None, mine)
            yield report


def _take(con: duckdb.DuckDBPyConnection, cut: Cut, inbox: Inbox) -> None:
    """Make the tables of the rollups of what was handed over."""
    for rollup in cut.rollups:
        make_table(con, rollup, _read_once(inbox.files[rollup.name]))


def _read_once(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        yield f"FROM {rows_of(file)}"
        file.unlink()
