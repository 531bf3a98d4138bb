"""The answers of the query API as a source of Spark, for analysts: the published run and the deltas from its cut on.

    spark.dataSource.register(LearningViews)
    spark.read.format("learning_views").load("video_popularity")

Options: `batch_views` and `speed_views`, the folders, by default those of the settings; `layer`, merged or batch;
`delta`, the number of the last delta that counts, by default the newest. Each task makes the rows of a part of the
shards, by the view's own SELECT; what is read, the plan of the query fixes once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from batch_layer.merged_table import make_table
from batch_layer.view_cuts import Cut, cuts
from catalogue.at_rest.deltas import chain, read_deltas
from catalogue.at_rest.runs import current, state_files
from catalogue.sql.dialect import connect, rows_of
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.rollups import Rollup
from catalogue.views.view import View
from runtime.errors import PlatformError
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store

LAYERS = ("merged", "batch")


class SourceError(PlatformError):
    """What was asked of the source can't be had."""


@dataclass(frozen=True)
class Part(InputPartition):
    """The rows of a view whose shard is in bucket `number` of `parts`."""

    number: int
    parts: int
    view: str
    states: dict[str, tuple[str, ...]]
    deltas: tuple[str, ...]
    batch: Store
    speed: Store


class LearningViews(DataSource):
    """A view's merged rows as they stand when the query is planned."""

    @classmethod
    def name(cls) -> str:
        """What `format` takes."""
        return "learning_views"

    @property
    def view(self) -> View:
        """The view that was asked for. Raises SourceError."""
        name = self.options.get("path", "")
        if name not in VIEWS:
            raise SourceError(f"learning_views: load must name a view; got {name!r}")
        return VIEWS[name]

    def schema(self) -> StructType:
        """The view's columns."""
        with closing(connect()) as con:
            for rollup in self.view.rollups(ROLLUPS):
                con.execute(f"CREATE TABLE {rollup.name} ({rollup.declared})")
            return from_arrow_schema(con.sql(self.view.sql).to_arrow_table().schema)

    def reader(self, schema: StructType) -> DataSourceReader:
        """What plans the reading, and reads."""
        return _Reader(self.view, dict(self.options))


class _Reader(DataSourceReader):
    def __init__(self, view: View, options: dict[str, str]) -> None:
        self.view, self.layer, self.delta = view, options.get("layer", "merged"), options.get("delta")
        if self.layer not in LAYERS:
            raise SourceError(f"learning_views: layer must be one of {', '.join(LAYERS)}; got {self.layer!r}")
        settings = Settings.load()
        self.batch = open_store(options.get("batch_views", settings.batch_views), settings)
        self.speed = open_store(options.get("speed_views", settings.speed_views), settings)
        self.parts = int(options.get("parts", "0"))

    def partitions(self) -> Sequence[InputPartition]:
        """The parts of the newest answer. Raises SourceError where the named delta isn't in it."""
        view, published = self.view, current(self.batch)[0]
        run, cut = published.state.get(view.topic), published.cut.get(view.topic, {})
        names = [r.name for r in view.rollups(ROLLUPS)]
        states = {name: tuple(state_files(self.batch, view.topic, run, name)) if run else () for name in names}
        made = [d for d in read_deltas(self.speed) if d.erased == published.erased]
        led = chain(made, view.topic, cut) if self.layer == "merged" else []
        if self.delta is not None:
            last = int(self.delta)
            if led and last < led[0].number - 1 or not any(d.last >= last for d in led):
                raise SourceError(f"learning_views: delta must be one from the published cut on; got {last}")
            led = [d for d in led if d.last <= last]
        deltas = tuple(d.data for d in led)
        # A state has two files for each of its buckets.
        parts = self.parts or max(1, *(len(files) // 2 for files in states.values()))
        return [Part(n, parts, view.name, states, deltas, self.batch, self.speed) for n in range(parts)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The rows of a part, in the order of the view's key."""
        part = partition
        assert isinstance(part, Part)
        view = VIEWS[part.view]
        with tempfile.TemporaryDirectory() as folder, closing(connect()) as con:
            con.execute(f"SET temp_directory = '{folder}/spilled'")
            cut = replace(cuts([view])[0], parts=part.parts)
            for rollup in cut.rollups:
                make_table(con, rollup, _parts(part, cut, rollup, Path(folder) / "rows.parquet"))
            where = f" WHERE {cut.bucket_of_view(view)} = {part.number}" if cut.is_linked else ""
            rows = con.sql(f"SELECT * FROM ({view.sql}){where} ORDER BY {', '.join(view.key)}")
            yield from rows.to_arrow_table().to_batches()


def _parts(part: Part, cut: Cut, rollup: Rollup, local: Path) -> Iterator[str]:
    """The rows of a rollup that a part draws on, from the state and the deltas, one file at a time at `local`."""
    mine = "true" if cut.is_linked else f"{cut.bucket(rollup.name)} = {part.number}"
    for store, paths, own in (
        (part.batch, part.states[rollup.name], mine),
        (part.speed, part.deltas, f"{mine} AND rollup = '{rollup.name}'"),
    ):
        for path in paths:
            store.download(path, local)
            yield f"SELECT {', '.join(rollup.types)} FROM {rows_of(local)} WHERE {own}"
            local.unlink()
