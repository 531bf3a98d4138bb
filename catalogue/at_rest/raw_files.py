"""The raw file: where it stands, what its name says, the line of an event in it, and the manifest that commits it.

Ingestion writes one file per commit, topic-partition and day of arrival in Kafka. Of a folder with commit manifests,
what
lies below the newest one's `head` is committed; a folder without them, of any other tool's making, holds what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.manifest import Manifest
from runtime.storage.store import StorageError, Store

COMMITS = "_commits/"
# Where a folder's offsets come from. One folder has one origin: an offset of another would name another event.
KAFKA, FILES = "kafka", "files"
SUFFIXES = (".json", ".json.gz", ".json.zst")
# The largest raw line that is read, in bytes.
LARGEST_LINE = 64 * 2**20
# The fields of a raw line before `value`, in their order, as DuckDB reads them.
ENVELOPE = {"topic": "VARCHAR", '"partition"': "JSON", '"offset"': "JSON", "kafka_timestamp": "VARCHAR"}
Offsets = dict[str, dict[str, int]]
Ranges = dict[str, dict[str, list[int]]]

_NAME = re.compile(
    r"topic=(?P<topic>[^/]+)/date=(?P<day>[^/]+)/"
    r"part-(?P<partition>\d{5,})-(?P<first>\d{20})-(?P<last>\d{20})(-(?P<commit>\d{8,}))?\.json(\.gz|\.zst)?"
)


@dataclass(frozen=True)
class RawName:
    """What a raw file's path says: whose events it holds, of which UTC day of arrival, from `first` to `last`
    (inclusive).

    `commit` is the number of the commit that it was written for; None in a file of an older or of another writer.
    """

    topic: str
    day: str
    partition: int
    first: int
    last: int
    commit: int | None = None

    @property
    def path(self) -> str:
        """Path below the master dataset, and of the file's rejected events below the quarantine."""
        commit = "" if self.commit is None else f"-{self.commit:08}"
        name = f"part-{self.partition:05}-{self.first:020}-{self.last:020}{commit}.json.gz"
        return f"{topic_folder(self.topic)}date={self.day}/{name}"

    @classmethod
    def matched(cls, path: str) -> RawName | None:
        """What a path says; None where it isn't a raw file's of ingestion."""
        found = _NAME.fullmatch(path)
        if not found:
            return None
        partition, first, last = (int(found[name]) for name in ("partition", "first", "last"))
        return cls(
            found["topic"], found["day"], partition, first, last, int(found["commit"]) if found["commit"] else None
        )

    @classmethod
    def parsed(cls, path: str) -> RawName:
        """What a path says; StorageError where it isn't a raw file's of ingestion."""
        found = cls.matched(path)
        if found is None:
            wanted = "part-<partition>-<first>-<last>[-<commit>].json* beside manifests"
            raise StorageError(f"raw file '{path}': name must be {wanted}")
        return found


def topic_folder(topic: str = "") -> str:
    """The folder of a topic's files; of all topics' the common beginning."""
    return f"topic={topic}/" if topic else "topic="


def is_raw_file(path: str) -> bool:
    """Whether a reader by pattern takes it: Hadoop's tools pass over what a writer has not finished, sums and marks."""
    return path.endswith(SUFFIXES) and not any(part.startswith(("_", ".")) for part in path.split("/"))


def raw_line(topic: str, partition: str, offset: str, arrived: str, text: str) -> str:
    """The SQL expression of a raw line without its line break, of SQL expressions: `arrived` is a TIMESTAMP in UTC,
    `text` the event as it came. Line breaks between its tokens become spaces, nothing else changes.
    """
    return (
        f"""concat('{{"topic":"{topic}","partition":', {partition}, ',"offset":', {offset}, ',"kafka_timestamp":"', """
        f"""strftime({arrived}, '%Y-%m-%dT%H:%M:%S.%g'), 'Z","value":', """
        f"""translate({text}, chr(10) || chr(13), '  '), '}}')"""
    )


def raw_lines(topic: str, paths: Iterable[Path], value: str, longest: int) -> str:
    """SQL of the lines of local raw files, none with more than `longest` bytes: "partition", "offset", kafka_ts (UTC)
    and
    value, of DuckDB type `value`. "partition" is NULL in a line that is no event of the topic in its envelope.
    """
    kinds = {**ENVELOPE, "value": value}
    names = ", ".join(f"'{path}'" for path in paths)
    if names:
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
        rows = (
            f"SELECT * FROM read_json([{names}], format = 'newline_delimited', ignore_errors = true, "
            f"maximum_object_size = {longest}, columns = {{{columns}}})"
        )
    else:
        nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in kinds.items())
        rows = f"SELECT {nothing} LIMIT 0"
    arrived = "try_cast(kafka_timestamp AS TIMESTAMPTZ)::TIMESTAMP"
    partition, offset = _whole("partition"), _whole("offset")
    good = f"topic = '{topic}' AND {partition} >= 0 AND {offset} >= 0 AND value IS NOT NULL AND {arrived} IS NOT NULL"
    return (
        f'(SELECT CASE WHEN {good} THEN {partition} END AS "partition", '
        f'{offset} AS "offset", {arrived} AS kafka_ts, value FROM ({rows}))'
    )


def _whole(name: str) -> str:
    """The whole number that a JSON token is; NULL where it isn't written as one."""
    return f"""CASE WHEN NOT contains("{name}"::VARCHAR, '.') THEN try_cast("{name}"::VARCHAR AS BIGINT) END"""


@dataclass(frozen=True)
class CommittedFile:
    """A committed raw file: its path, which offsets (inclusive) it holds, and how many events in how many bytes."""

    path: str
    topic: str
    partition: int
    first: int
    last: int
    events: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Commit(Manifest):
    """The manifest of one commit of ingestion.

    `ranges` are the offsets [from, to) that it read, `head` the exclusive end of all that is committed, `ledger` and
    `total` the fates of this commit's records and of all since the beginning. `takeovers` are the numbers of the newest
    commits by which an ingester took over. `origin` says whose offsets these are: Kafka's, or those that were given to
    the lines of files; `files_read` how many bytes of the beginning of which file have been landed, by their SHA-256.
    """

    commit: int
    committed_at: str
    ranges: Ranges
    head: Offsets
    files: list[CommittedFile]
    ledger: Ledger
    total: Ledger
    takeovers: list[int]
    origin: str = KAFKA
    files_read: dict[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it stands below the master dataset."""
        return f"{COMMITS}{self.commit:020}.json"


def commits(raw: Store) -> list[Commit]:
    """Every commit, in order."""
    return [Commit.read(raw, entry.path) for entry in raw.list(COMMITS)]


def newest_commit(raw: Store) -> Commit | None:
    """The newest commit; None in a folder without manifests. Raises StorageError where it is damaged."""
    entries = raw.list(COMMITS)
    return Commit.read(raw, entries[-1].path) if entries else None


def landed_head(raw: Store) -> Offsets:
    """The exclusive end of what is committed, by topic and partition; empty in a folder without manifests."""
    newest = newest_commit(raw)
    return newest.head if newest else {}
