"""What the quarantine holds of a day: how many events by topic and reason, and a few of them as they came."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalogue.at_rest.raw_files import is_raw_file, topic_folder
from catalogue.at_rest.raw_persons import seemingly_named
from catalogue.sql.dialect import connect
from runtime.storage.store import Entry, StorageError, Store
from serving_layer.errors import BadQuery
from serving_layer.query.deadlines import Deadlines

# Of a day's files the smallest are read, so many at most, packed as they are.
MOST_BYTES, MOST_FILES = 64 * 2**20, 2000
SAMPLES, LONGEST = 3, 2000
_PLACE = re.compile(r"topic=([^/]+)/date=(\d{4}-\d\d-\d\d)/[^/]+")
_COLUMNS = {
    "topic": "VARCHAR",
    "partition": "BIGINT",
    "offset": "BIGINT",
    "kafka_timestamp": "VARCHAR",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "value": "VARCHAR",
    "value_encoding": "VARCHAR",
}
_READ = "read_json({files}, format = 'newline_delimited', ignore_errors = true, columns = {columns})"
# An event that was landed twice, once without a commit, is one: its topic, partition and offset name it.
_COUNTED = """SELECT topic, reason, count(*) FROM (SELECT DISTINCT topic, "partition", "offset", reason FROM {read})
WHERE topic IS NOT NULL AND reason IS NOT NULL GROUP BY topic, reason ORDER BY count(*) DESC, topic, reason"""
_SAMPLED = """SELECT topic, reason, max_by(struct_pack("partition" := "partition", "offset" := "offset",
kafka_timestamp := kafka_timestamp, detail := detail, value := left(value, {long}), encoding := value_encoding),
concat(kafka_timestamp, lpad("partition"::VARCHAR, 6, '0'), lpad("offset"::VARCHAR, 20, '0')), {several})
FROM {read} WHERE topic IS NOT NULL AND reason IS NOT NULL GROUP BY topic, reason"""


@dataclass(frozen=True)
class Rejected:
    """What was rejected on `day`, of which `days` there are; `persons` are those whom the samples name.

    `files` of that day were found and `files_read` of them read.
    """

    day: str | None
    days: list[str]
    reasons: list[dict[str, Any]]
    files: int
    files_read: int
    persons: frozenset[str]


class Quarantine:
    """The folder of what ingestion rejected, as its files say; nothing is kept between two questions."""

    def __init__(self, store: Store, deadlines: Deadlines):
        self.store, self.deadlines = store, deadlines

    def of(self, day: str | None = None) -> Rejected:
        """The events that reached Kafka on `day` (UTC), by default the newest with any.

        BadQuery for what is no day, StorageError where files can't be read, TookTooLong.
        """
        if day is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            raise BadQuery("day", f"must be a day as 2026-03-01; got {day[:40]!r}")
        by_day: dict[str, list[Entry]] = {}
        for entry in self.store.list(topic_folder()):
            found = _PLACE.fullmatch(entry.path)
            if found and is_raw_file(entry.path):
                by_day.setdefault(found[2], []).append(entry)
        days = sorted(by_day, reverse=True)
        chosen = day or (days[0] if days else None)
        files = by_day.get(chosen or "", [])
        taken = _smallest(files)
        reasons, persons = self._read(taken)
        return Rejected(chosen, days, reasons, len(files), len(taken), persons)

    def _read(self, files: list[Entry]) -> tuple[list[dict[str, Any]], frozenset[str]]:
        if not files:
            return [], frozenset()
        with tempfile.TemporaryDirectory(prefix="quarantine-") as folder:
            local = []
            for number, entry in enumerate(files):
                place = Path(folder) / f"{number}-{entry.path.rpartition('/')[2]}"
                with suppress(FileNotFoundError):  # retention or an erasure may have taken it since
                    self.store.download(entry.path, place)
                    local.append(str(place))
            if not local:
                return [], frozenset()
            read = _READ.format(files=local, columns=_COLUMNS)
            asked = _SAMPLED.format(read=read, long=2 * LONGEST, several=2 * SAMPLES)
            with closing(connect(memory_limit="512MB", temp_directory=folder)) as con, self.deadlines.over(con):
                try:
                    counted = con.execute(_COUNTED.format(read=read)).fetchall()
                    samples = {(topic, reason): found for topic, reason, found in con.execute(asked).fetchall()}
                except (duckdb.InvalidInputException, duckdb.IOException) as error:
                    said = str(error).splitlines()[0].replace(folder, self.store.uri)
                    raise StorageError(f"{self.store.uri}: files of the quarantine must be whole; got {said}") from None
        persons: set[str] = set()
        reasons = []
        for topic, reason, events in counted:
            shown = _differing(samples.get((topic, reason), []))
            persons.update(*(seemingly_named(topic, _bytes_of(one)) for one in shown))
            told = [{**one, "value": (one["value"] or "")[:LONGEST]} for one in shown]
            reasons.append({"topic": topic, "reason": reason, "events": events, "samples": told})
        return reasons, frozenset(persons)


def _smallest(files: list[Entry]) -> list[Entry]:
    taken: list[Entry] = []
    size = 0
    for entry in sorted(files, key=lambda entry: (entry.size, entry.path))[:MOST_FILES]:
        size += entry.size
        if taken and size > MOST_BYTES:
            break
        taken.append(entry)
    return taken


def _differing(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first few of different places in Kafka."""
    return list({(one["partition"], one["offset"]): one for one in found}.values())[:SAMPLES]


def _bytes_of(sample: dict[str, Any]) -> bytes:
    text = sample["value"] or ""
    if sample["encoding"] == "base64":
        with suppress(binascii.Error):
            return base64.b64decode(text[: len(text) // 4 * 4])
    return str(text).encode("utf-8", "surrogatepass")
