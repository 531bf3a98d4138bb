"""JSON lines landed as raw files without Kafka and without Spark, as ingestion would land them from Kafka.

A line goes to the topic of its category and to the partition that Kafka's partitioner chooses for its user, with the
next offset there. All of a commit arrive at the moment at which they are landed, or at one that is given. A line
without a category that the catalogue knows is taken for the first topic's, and quarantined there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from catalogue.at_rest.erasures import Erasures, Watched, landed_without
from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.raw_files import COMMITS, FILES, Offsets
from catalogue.events import TOPICS
from ingestion_layer.commits import Commits, TakenOver, remove_orphans
from ingestion_layer.json_lines import JsonLines, UnreadableLines
from ingestion_layer.landing import accounted, land, path_of
from ingestion_layer.partitions import partition_of
from runtime.storage.store import Store

# A commit is as large as one of these.
LINES, BYTES = 100_000, 64 * 2**20
_TOPICS = {topic.category: topic for topic in TOPICS.values()}
_FIRST = next(iter(TOPICS.values()))
_CATEGORY = re.compile(rb'"event_category"\s*:\s*"(\w+)"')
_RECORD = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("value", pa.binary()),
    ]
)
Record = tuple[str, int, int, bytes]


@dataclass
class Landed:
    """What became of a file: counts of lines and of raw files, and the bytes that earlier runs had landed already."""

    read: int = 0
    landed: int = 0
    unparseable: int = 0
    invalid: int = 0
    erased: int = 0
    files: int = 0
    bytes_before: int = 0

    def add(self, ledger: Ledger, files: int) -> None:
        """Count a commit."""
        for entry in (entry for partitions in ledger.values() for entry in partitions.values()):
            self.read += entry["read"]
            self.landed += entry["landed"]
            self.unparseable += entry["unparseable"]
            self.invalid += entry["invalid"]
            self.erased += entry["erased"]
        self.files += files


def land_file(
    path: Path,
    raw: Store,
    quarantine: Store,
    arrival: dt.datetime | None = None,
    told: Callable[[Landed], None] = lambda landed: None,
    erasure_key: str | None = None,
) -> Landed:
    """Land what `raw` doesn't hold yet of a file of JSON lines, plain, gzip or zstd; tells after each commit.

    A beginning of the file that was landed before, whatever the file's name was then, is passed over: landing it again
    adds nothing, landing a file that has grown adds what is new. Every commit says how far it came, so that one that
    was killed goes on there. Raises UnreadableLines, IngestError where the folder holds events from Kafka or somebody
    else lands in it, and StorageError.
    """
    lines = JsonLines(path)
    commits = Commits.newest(raw, FILES)
    quarantine.list(COMMITS)  # where it can't be had, that is told before anything is written
    result = Landed(bytes_before=lines.skip(commits.files_read))
    known = commits.files_read
    erasures = Watched(raw, erasure_key)
    erasures.now()  # the key of who was erased is missed at once
    for portion, records in enumerate(_portions(lines, commits)):
        if not portion:
            if not result.bytes_before and not any(_CATEGORY.search(value) for *_, value in records):
                raise UnreadableLines(
                    f"{path}: must hold events; got no event_category in its first {len(records)} lines"
                )
            commits.take_over(raw)
            for store in (raw, quarantine):
                remove_orphans(store, commits)
        number = commits.number + 1
        batch = _batch(records, arrival or dt.datetime.now(dt.UTC))
        rows = landed_without(erasures.now, partial(_landed, batch, raw, quarantine, number))
        ranges, files, ledger = accounted(rows, commits.head, number)
        commits.files_read = {**known, lines.digest: lines.bytes}
        try:
            commits.add(raw, ranges, files, ledger)
        except TakenOver:
            for store in (raw, quarantine):
                store.delete(path_of(row, number) for row in rows)
            raise
        result.add(ledger, len(files))
        told(result)
    return result


def _landed(batch: pa.RecordBatch, raw: Store, quarantine: Store, number: int, gone: Erasures) -> list[dict[str, Any]]:
    return [row for file in land(iter([batch]), raw, quarantine, number, gone) for row in file.to_pylist()]


def _portions(lines: JsonLines, commits: Commits) -> Iterator[list[Record]]:
    """The lines with their topic, partition and offset, as many at once as a commit takes; empty ones are none."""
    ends: Offsets = {topic: dict(partitions) for topic, partitions in commits.head.items()}
    records: list[Record] = []
    size = 0
    for line in lines:
        if not line.strip():
            continue
        topic, key = _address(line)
        partition = partition_of(key, TOPICS[topic].partitions)
        offsets = ends.setdefault(topic, {})
        offset = offsets.get(str(partition), 0)
        offsets[str(partition)] = offset + 1
        records.append((topic, partition, offset, line))
        size += len(line)
        if len(records) >= LINES or size >= BYTES:
            yield records
            records, size = [], 0
    if records:
        yield records


def _address(line: bytes) -> tuple[str, bytes]:
    """The topic of a line and its key."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        named = _CATEGORY.search(line)
        return _TOPICS.get(named[1].decode() if named else "", _FIRST).name, b""
    if not isinstance(event, dict):
        return _FIRST.name, b""
    category, user = event.get("event_category"), event.get("user_id")
    topic = _TOPICS.get(category, _FIRST) if isinstance(category, str) else _FIRST
    return topic.name, user.encode() if isinstance(user, str) else b""


def _batch(records: Iterable[Record], arrival: dt.datetime) -> pa.RecordBatch:
    topics, partitions, offsets, values = zip(*records, strict=True)
    moment = arrival.replace(microsecond=arrival.microsecond // 1000 * 1000)  # Kafka knows milliseconds
    return pa.record_batch([topics, partitions, offsets, [moment] * len(topics), values], schema=_RECORD)
