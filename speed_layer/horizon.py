"""Which files hold the ids of the horizon, as the driver keeps track of them: of the ids themselves it holds few.

What recent deltas saw goes along with each micro-batch. When that has become much it is written as one file, a segment,
beside the deltas' own small ones: those are many, and a start would have to read each. A segment's name says which
deltas it tells of and by which rules they were made, so it needs no manifest, and losing it loses nothing.
"""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalogue.at_rest.deltas import READERS, Delta
from catalogue.at_rest.runs import RunManifest, state_files
from catalogue.events import TOPICS
from runtime.kafka_offsets import Offsets
from runtime.storage.store import Store
from speed_layer.known_ids import IdFile, KnownIds, remove_copies
from speed_layer.sightings import Array, below, of_topic, searched

SEGMENTS = "id_segments/"
# Sightings that go along with a micro-batch, at most about: 24 bytes each, to every task.
MOST_RECENT = 40_000
# So many neighbouring segments become one, unless it would be larger than so many sightings.
MERGED_AT_ONCE = 32
LARGEST_SEGMENT = 2_000_000
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Segment:
    """A file with the `rows` sightings of the deltas `first` to `last`; the newest arrived in second `newest`."""

    path: str
    first: int
    last: int
    rows: int
    newest: int


@dataclass(frozen=True)
class Recent:
    """The sightings of the deltas `first` to `last`, and by topic those of them that count, as they are searched."""

    first: int
    last: int
    sightings: pa.Table
    searched: dict[str, Array]


class Horizon:
    """The ids that micro-batches are judged by: those of the published run, of segments, and of recent deltas."""

    def __init__(self, speed: Store, batch: Store, rules: str):
        self.speed, self.batch, self.rules = speed, batch, rules
        self.name = uuid.uuid4().hex[:12]
        self._of_run: tuple[IdFile, ...] = ()
        self._segments: list[tuple[Segment, IdFile]] = []
        self._recent: list[Recent] = []
        # Of no use any more, but a running micro-batch may still ask for them.
        self._gone: list[str] = []
        # The newest arrival, in seconds, by topic and partition.
        self._arrivals: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def open(self, published: RunManifest, deltas: Iterable[Delta], head: Offsets) -> None:
        """Know everything below `head`: what the published run knows, and what `deltas` add to it."""
        self._of_run = tuple(
            IdFile(self.batch, path, topic)
            for topic, run in published.state.items()
            for path in state_files(self.batch, topic, run, "ids")
        )
        wanted = sorted(deltas, key=lambda d: d.number)
        for segment in sorted(self._written(), key=lambda s: s.last - s.first, reverse=True):
            told = [d for d in wanted if segment.first <= d.number and d.last <= segment.last]
            if told:
                self._segments.append((segment, self._file(segment, head)))
                wanted = [d for d in wanted if d not in told]
        self._segments.sort(key=lambda one: one[0].first)
        with ThreadPoolExecutor(READERS) as readers:
            for delta, data in zip(wanted, readers.map(self.speed.read, (d.ids for d in wanted)), strict=True):
                self.add(delta, pq.read_table(io.BytesIO(data)), head)

    def add(self, delta: Delta, sightings: pa.Table, head: Offsets) -> None:
        """Know the sightings of a delta as well; `head` is where the deltas end with it."""
        if self._recent and self._recent[-1].last + 1 != delta.number:
            self._write(head)  # a segment tells of every delta between its ends
        self._arrivals |= _newest(sightings)
        topics = sightings["topic"].unique().to_pylist()
        counting = {t: searched(below(of_topic(sightings, t), head.get(t, {}))) for t in topics}
        self._recent.append(Recent(delta.number, delta.last, sightings, counting))
        if sum(r.sightings.num_rows for r in self._recent) >= MOST_RECENT:
            self._write(head)

    def known(self) -> KnownIds:
        """What a micro-batch is judged by that begins now."""
        recent = {
            topic: np.hstack(arrays)
            for topic in TOPICS
            if (arrays := [r.searched[topic] for r in self._recent if topic in r.searched])
        }
        with self._lock:
            return KnownIds(self.name, (*self._of_run, *(file for _, file in self._segments)), recent)

    def merge_segments(self, head: Offsets) -> int:
        """Make one segment of many neighbouring small ones; how many went. May run beside everything else."""
        self.speed.delete(self._gone)
        self._gone = []
        group: list[tuple[Segment, IdFile]] = []
        with self._lock:
            segments = list(self._segments)
        for one in segments:
            follows = bool(group) and group[-1][0].last + 1 == one[0].first
            small = follows and sum(segment.rows for segment, _ in (*group, one)) <= LARGEST_SEGMENT
            group = [*group, one] if small else [one]
            if len(group) == MERGED_AT_ONCE:
                tables = [pq.read_table(io.BytesIO(self.speed.read(s.path))) for s, _ in group]
                merged = self._put(pa.concat_tables(tables), group[0][0].first, group[-1][0].last, head)
                with self._lock:
                    at = self._segments.index(group[0])
                    self._segments[at : at + len(group)] = [merged]
                self._gone = [s.path for s, _ in group]
                return len(group)
        return 0

    def forget_old(self, days: int, head: Offsets) -> int:
        """Forget segments that no later event can repeat within the horizon; how many.

        It ends at the partition that is furthest behind, as its next event may be that old. A run's files stay until
        the next start.
        """
        newest = dict(self._arrivals)
        places = {(topic, int(partition)) for topic, ends in head.items() for partition, end in ends.items() if end}
        if not places <= newest.keys():
            return 0
        limit = min((newest[place] for place in places), default=0) - days * SECONDS_A_DAY
        with self._lock:
            old = [segment.path for segment, _ in self._segments if segment.newest < limit]
            self._segments = [one for one in self._segments if one[0].path not in old]
        self._gone += old
        return len(old)

    def remove_leftovers(self) -> None:
        """Delete the segments that aren't of use: of other rules, of deltas that are gone, or merged into others."""
        used = {segment.path for segment, _ in self._segments}
        self.speed.delete([e.path for e in self.speed.list(SEGMENTS) if e.path not in used])

    def close(self) -> None:
        """Forget everything."""
        remove_copies(self.name)
        self._of_run, self._segments, self._recent = (), [], []

    def _written(self) -> list[Segment]:
        found = []
        for entry in self.speed.list(f"{SEGMENTS}{self.rules}/"):
            *numbers, _ = entry.path.rpartition("/")[2].split("-")
            found.append(Segment(entry.path, *map(int, numbers)))
        return found

    def _write(self, head: Offsets) -> None:
        """Put what is recent into a segment."""
        table = pa.concat_tables([r.sightings for r in self._recent])
        written = self._put(table, self._recent[0].first, self._recent[-1].last, head)
        with self._lock:
            self._segments.append(written)
        self._recent = []

    def _put(self, sightings: pa.Table, first: int, last: int, head: Offsets) -> tuple[Segment, IdFile]:
        newest = max(_newest(sightings).values(), default=0)
        name = f"{first:020}-{last:020}-{sightings.num_rows}-{newest}-{uuid.uuid4().hex[:8]}"
        segment = Segment(f"{SEGMENTS}{self.rules}/{name}.parquet", first, last, sightings.num_rows, newest)
        self.speed.write(segment.path, parquet(sightings))
        return segment, self._file(segment, head)

    def _file(self, segment: Segment, head: Offsets) -> IdFile:
        return IdFile(self.speed, segment.path, head={t: dict(ends) for t, ends in head.items()})


def _newest(sightings: pa.Table) -> dict[tuple[str, int], int]:
    """The newest arrival, in whole seconds, by topic and partition."""
    named = sightings.set_column(0, "topic", sightings["topic"].cast(pa.string()))
    found = named.group_by(["topic", "partition"]).aggregate([("kafka_ts", "max")])
    moments = found["kafka_ts_max"].cast(pa.int64()).to_pylist()
    places = zip(found["topic"].to_pylist(), found["partition"].to_pylist(), strict=True)
    return {place: moment // 1_000_000 for place, moment in zip(places, moments, strict=True)}


def parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    named = [name for name in ("rollup", "topic") if name in table.column_names]
    pq.write_table(table, sink, use_dictionary=named if "event_id" in table.column_names else True)
    return sink.getvalue()
