"""The events that a published run counts, of a person or a course, found among the raw ones.

Views keep no single events, so an export reads the raw files below the run's cut: once for the events that are wanted,
and, where there are any, once more for other sightings of their ids, as of those one counts. Both by the batch layer's
rules, some files at a time, with little memory; what is wanted waits in scratch space.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from catalogue.at_rest.deltas import Vector
from catalogue.at_rest.erasures import Erasures
from catalogue.at_rest.raw_files import LARGEST_LINE, RawName, is_raw_file, raw_lines, topic_folder
from catalogue.events import TOPICS
from catalogue.events.schema import Topic
from catalogue.sql.dialect import connect
from catalogue.sql.duplicates import duplicates_of, identified
from catalogue.sql.typed_events import fields_of, persons_of, quoted, typed_events, value_struct
from runtime.storage.store import StorageError, Store
from serving_layer.errors import TookTooLong
from serving_layer.export.events import ABOUT_SUBJECT, SUBJECT, Event, event_of
from serving_layer.identity.sight import Sight

MEMORY = "512MiB"
# Of raw lines that one statement reads, and rows that are in memory while they are sent.
BYTES_AT_ONCE, ROWS_AT_ONCE = 64 * 2**20, 1000
COPIED = 2**20
NO_EVENTS = "(SELECT NULL::UUID AS event_id, NULL::TIMESTAMP AS kafka_ts LIMIT 0)"
_PLACE = ('"partition"', '"offset"', "kafka_ts", "fault", "event_id", "event_type", "ts")


@dataclass(frozen=True)
class Wanted:
    """Which events: of these persons, of these courses (both where both are named), arrived in this time, in UTC.

    More than one id is another reading of the same text.
    """

    persons: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    def condition(self, topic: Topic, sight: Sight) -> tuple[str, list[Any]] | None:
        """The condition on typed events of a topic, and its values; None where no event can be it."""
        with_course = [e.name for e in topic.event_types if any(f.name == "course_id" for f in e.fields)]
        about = [e.name for e in topic.event_types if e.name in ABOUT_SUBJECT]
        person = f"CASE WHEN event_type IN {_listed(about)} THEN {SUBJECT} ELSE user_id END" if about else "user_id"
        course = f"CASE WHEN event_type IN {_listed(with_course)} THEN course_id END"
        parts: list[tuple[str, Any]] = []
        if self.courses or sight.column == "course_id":
            if not with_course:
                return None
            parts += [(f"{course} IN (SELECT unnest(?))", list(self.courses))] if self.courses else []
        if sight.column:
            seen = course if sight.column == "course_id" else person
            parts.append((f"{seen} IN (SELECT unnest(?))", sorted(sight.values)))
        if self.persons:
            parts.append((f"list_has_any([user_id, {person}], ?)", list(self.persons)))
        if self.since:
            parts.append(("kafka_ts > ?::TIMESTAMP", self.since))
        if self.until:
            parts.append(("kafka_ts <= ?::TIMESTAMP", self.until))
        return " AND ".join(part for part, _ in parts) or "true", [value for _, value in parts]


class CountedEvents:
    """Found events, to be read once in the order of topics, partitions and offsets; closed then or by `close`.

    TookTooLong where they aren't found and read when the process's clock says `ends`.
    """

    def __init__(
        self,
        raw: Store,
        cut: dict[str, Vector],
        wanted: Wanted,
        sight: Sight,
        days: int,
        erased: Erasures,
        ends: float = math.inf,
    ):
        self.raw, self.cut, self.days, self.erased, self.ends = raw, cut, days, erased, ends
        self._folder = tempfile.TemporaryDirectory(prefix="export-")
        self.folder = Path(self._folder.name)
        self._joined_last: list[str] = []
        try:
            self.con = connect(str(self.folder / "events.duckdb"), memory_limit=MEMORY)
            self.topics = [
                topic
                for topic in TOPICS.values()
                if cut.get(topic.name)
                and (condition := wanted.condition(topic, sight))
                and self._found(topic, *condition, wanted)
            ]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the scratch space."""
        if hasattr(self, "con"):
            self.con.close()
        self._folder.cleanup()

    def __iter__(self) -> Iterator[Event]:
        for topic in self.topics:
            found = self.con.execute(f'FROM {topic.name} ORDER BY "partition", "offset"')
            names = [column[0] for column in found.description or ()]
            while rows := found.fetchmany(ROWS_AT_ONCE):
                self._check()
                for row in rows:
                    yield event_of(topic.name, topic.category, dict(zip(names, row, strict=True)))

    def _check(self) -> None:
        if time.monotonic() > self.ends:
            raise TookTooLong("an export must be made and taken in less time; ask for fewer days, by since and until")

    def _found(self, topic: Topic, condition: str, values: list[Any], wanted: Wanted) -> bool:
        """Make the topic's table; whether it has events."""
        special = ("event_id", "event_type", "timestamp")
        columns = ", ".join((*_PLACE, *(name for name in fields_of(topic) if name not in special)))
        name, files = topic.name, self._files(topic.name)
        valid = f"fault IS NULL AND {self._below(name)}"
        self._gather(topic, name, columns, (f"{valid} AND {condition}", values), _in_time(files, wanted))
        self._each_once(name)
        self._forget(topic)
        ids = f"SELECT DISTINCT event_id FROM {name} WHERE event_id IS NOT NULL"
        if self._count(f"({ids})"):
            self.con.execute(f"CREATE OR REPLACE TABLE ids AS {ids}")
            place = 'event_id, "partition", "offset", kafka_ts, fault'
            self._gather(topic, "sightings", place, (f"{valid} AND event_id IN (FROM ids)", []), files)
            self._each_once("sightings")
            repeated = duplicates_of(f"({identified('sightings')})", NO_EVENTS, self.days)
            self.con.execute(f'DELETE FROM {name} WHERE ("partition", "offset") IN ({repeated})')
        return self._count(name) > 0

    def _gather(
        self, topic: Topic, table: str, columns: str, condition: tuple[str, list[Any]], files: list[str]
    ) -> None:
        """Make a table of what satisfies a condition in raw files of a topic."""
        into = f"CREATE OR REPLACE TABLE {table} AS"
        for lines in self._joined(files):
            self._check()
            source = raw_lines(topic.name, lines, value_struct(topic.name), LARGEST_LINE)
            events = typed_events(topic.name, f'(FROM {source} WHERE "partition" IS NOT NULL)')
            self.con.execute(f"{into} SELECT {columns} FROM ({events}) WHERE {condition[0]}", condition[1])
            into = f"INSERT INTO {table}"

    def _joined(self, files: list[str]) -> Iterator[list[Path]]:
        """The lines of raw files in a few larger ones, as opening one costs DuckDB more than a small one's lines; each
        is there until the next. At least once, with none where there are no files.
        """
        lines, waiting = self.folder / "lines.json", list(reversed(files))
        if files and self._joined_last == files:
            yield [lines]
            return
        self._joined_last, first = [], True
        while True:
            with lines.open("wb") as joined:
                while waiting and joined.tell() < BYTES_AT_ONCE:
                    self._add(waiting.pop(), joined)
                size = joined.tell()
            if first and size and not waiting:
                self._joined_last = files  # the second reading needs no other
            yield [lines] if size else []
            if not waiting:
                return
            first = False

    def _add(self, path: str, joined: BinaryIO) -> None:
        local = self.folder / f"raw{path[path.rindex('.json') :]}"
        self.raw.download(path, local)
        if local.stat().st_size:
            try:
                with pa.input_stream(str(local), compression="detect") as unpacked:
                    shutil.copyfileobj(unpacked, joined, COPIED)
            except OSError as error:
                raise StorageError(f"raw file '{path}': {str(error).splitlines()[0]}") from error
            joined.write(b"\n")
        local.unlink()

    def _files(self, topic: str) -> list[str]:
        """The raw files that may have events below the cut."""
        found = []
        for entry in self.raw.list(topic_folder(topic)):
            name = RawName.matched(entry.path)
            if is_raw_file(entry.path) and (name is None or name.first < self.cut[topic].get(str(name.partition), 0)):
                found.append(entry.path)
        return found

    def _below(self, topic: str) -> str:
        ends = " ".join(f"WHEN {int(partition)} THEN {int(end)}" for partition, end in self.cut[topic].items())
        return f'"offset" < CASE "partition" {ends} ELSE 0 END'

    def _each_once(self, table: str) -> None:
        """What an ingestion that was stopped left behind, the next one has landed too."""
        first = f'SELECT min(rowid) FROM {table} GROUP BY "partition", "offset"'
        self.con.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({first})")

    def _forget(self, topic: Topic) -> None:
        """Leave out what names somebody who was erased, as long as raw files still do."""
        for field in persons_of(topic.name) if self.erased.people else ():
            people = [one for (one,) in self.con.execute(f"SELECT DISTINCT {field} FROM {topic.name}").fetchall()]
            if gone := self.erased.among(people):
                self.con.execute(f"DELETE FROM {topic.name} WHERE {field} IN (SELECT unnest(?))", [gone])

    def _count(self, relation: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _listed(names: Sequence[str]) -> str:
    return f"({', '.join(map(quoted, names)) or 'NULL'})"


def _in_time(files: list[str], wanted: Wanted) -> list[str]:
    """Those of the files whose day of arrival may have what is wanted."""
    since, until = (wanted.since or "")[:10], (wanted.until or "9999")[:10]
    found = []
    for path in files:
        name = RawName.matched(path)
        if name is None or (since <= name.day and name.day <= until):
            found.append(path)
    return found
