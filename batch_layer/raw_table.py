"""Raw files of one topic as a table of typed events."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from catalogue.at_rest.erasures import Erasures
from catalogue.at_rest.raw_files import LARGEST_LINE, raw_lines
from catalogue.events import TOPICS
from catalogue.sql.typed_events import erased_fault, fields_read, persons_of, typed_events, value_struct
from catalogue.views import ROLLUPS
from runtime.errors import PlatformError
from runtime.storage.store import Entry, Store

if TYPE_CHECKING:
    import pyarrow as pa

ALWAYS = ('"partition"', '"offset"', "kafka_ts", "fault", "event_id", "event_type", "ts", "date", "hour")


class UnreadableFile(PlatformError):
    """A raw file that is cut short or damaged as a whole; the message names it and the cause."""


def fetch(raw: Store, files: Sequence[Entry], folder: Path) -> dict[Path, str]:
    """Copy raw files to `folder`; their local paths and the paths they came from. Empty files are left out.

    Raises UnreadableFile for a .zst file that ends too early, which DuckDB would take for whole.
    """
    local = {}
    for number, entry in enumerate(files):
        if entry.size:
            target = folder / f"{number:08}{entry.path[entry.path.rindex('.json') :]}"
            raw.download(entry.path, target)
            if target.suffix == ".zst":
                _check_whole(target, entry.path)
            local[target] = entry.path
    return local


def load(con: duckdb.DuckDBPyConnection, topic: str, files: dict[Path, str]) -> int:
    """Add the files' typed events to table `events`, which is made where it isn't there; returns unreadable lines."""
    known = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'events'").fetchall()
    into = "INSERT INTO events" if known else "CREATE TABLE events AS"
    columns = ", ".join(_columns(topic))
    try:
        con.execute(f"{into} SELECT {columns} FROM ({typed_events(topic, _reader(topic, [*files]))})")
    except duckdb.Error:
        for path, origin in files.items():
            try:
                con.execute(f"SELECT count(*) FROM {_reader(topic, [path])}")
            except duckdb.Error as error:
                raise UnreadableFile(f"raw file '{origin}': {str(error).splitlines()[0]}") from error
        raise
    unreadable = con.execute('SELECT count(*) FROM events WHERE "partition" IS NULL').fetchall()[0][0]
    if unreadable:
        con.execute('DELETE FROM events WHERE "partition" IS NULL')
    return int(unreadable)


def mark(con: duckdb.DuckDBPyConnection, topic: str, erased: Erasures) -> None:
    """Give the events that name somebody of `erased` the fault of erased ones."""
    for field in persons_of(topic) if erased.people else ():
        people = [person for (person,) in con.execute(f"SELECT DISTINCT {field} FROM events").fetchall()]
        if found := erased.among(people):
            con.execute(f"UPDATE events SET fault = {erased_fault()} WHERE {field} IN (SELECT unnest(?))", [found])


def each_once(con: duckdb.DuckDBPyConnection) -> None:
    """Leave of events that stand in table `events` more than once, in one file or in several, one each."""
    rows, distinct = con.execute(
        'SELECT count(*), count(DISTINCT ("partition"::HUGEINT << 64) + "offset") FROM events'
    ).fetchall()[0]
    if rows != distinct:
        first = 'SELECT min(rowid) FROM events GROUP BY "partition", "offset"'
        con.execute(f"DELETE FROM events WHERE rowid NOT IN ({first})")


def unreadable_lines(con: duckdb.DuckDBPyConnection, topic: str, files: dict[Path, str]) -> list[dict[str, Any]]:
    """The lines that `load` could not read, with the file and line where each stands."""
    found = []
    for path, origin in files.items():
        numbered = f'SELECT row_number() OVER () AS n, "partition" FROM {_reader(topic, [path])}'
        missed = {n for (n,) in con.execute(f'SELECT n FROM ({numbered}) WHERE "partition" IS NULL').fetchall()}
        row = 0
        for number, line in enumerate(_lines(path) if missed else (), 1):
            row += bool(line.strip())  # an empty line makes no row
            if row in missed:
                missed.remove(row)
                found.append({"topic": topic, "file": origin, "line": number, **_objection(topic, line), **_text(line)})
    return found


def _check_whole(path: Path, origin: str) -> None:
    try:
        with _opened(path) as stream:
            while stream.read(2**20):
                pass
    except OSError as error:
        raise UnreadableFile(f"raw file '{origin}': {str(error).splitlines()[0]}") from error


def _opened(path: Path) -> pa.NativeFile:
    import pyarrow as pa  # only here: it takes a quarter of a small run's start

    return pa.input_stream(str(path), compression="detect")


def _lines(path: Path) -> Iterator[bytes]:
    with _opened(path) as stream, io.BufferedReader(stream) as lines:
        for line in lines:
            yield line.rstrip(b"\n")


def _columns(topic: str) -> tuple[str, ...]:
    words = set().union(*(r.words for r in ROLLUPS.values() if r.topic == topic))
    return fields_read(TOPICS[topic], words | {*persons_of(topic)}, ALWAYS)


def _reader(topic: str, paths: list[Path]) -> str:
    return raw_lines(topic, paths, value_struct(topic), LARGEST_LINE)


def _objection(topic: str, line: bytes) -> dict[str, str]:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return {"reason": "not_json", "detail": "a raw line must be JSON"}
    return {
        "reason": "bad_envelope",
        "detail": f"a raw line must be an event of {topic} in its envelope, in valid Unicode",
    }


def _text(line: bytes) -> dict[str, Any]:
    try:
        return {"value": line.decode()}
    except UnicodeDecodeError:
        return {"value": base64.b64encode(line).decode(), "value_encoding": "base64"}
