"""Raw files of one topic as a table of typed events."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb

from batch_layer.config import FILES_PER_READ, LARGEST_LINE
from catalogue.events import TOPICS
from catalogue.storage import Entry, Store
from catalogue.validation import fields_read, typed_events, value_struct
from catalogue.views import ROLLUPS

_ARRIVED = "try_cast(kafka_timestamp AS TIMESTAMPTZ)::TIMESTAMP"
ALWAYS = ('"partition"', '"offset"', "kafka_ts", "fault", "event_id", "event_type", "ts", "date", "hour")


class UnreadableFile(Exception):
    """A raw file that is cut short or damaged as a whole; the message names it and the cause."""


def fetch(raw: Store, files: Sequence[Entry], folder: Path) -> dict[Path, str]:
    """Copy raw files to `folder`; their local paths and the paths they came from. Empty files are left out."""
    local = {}
    for number, entry in enumerate(files):
        if entry.size:
            target = folder / f"{number:08}{entry.path[entry.path.rindex('.json') :]}"
            raw.download(entry.path, target)
            local[target] = entry.path
    return local


def load(con: duckdb.DuckDBPyConnection, topic: str, files: dict[Path, str]) -> int:
    """Make table `events` of the files' typed events, each (partition, offset) once; returns unreadable lines."""
    columns = ", ".join(_columns(topic))
    paths = list(files)
    for start in range(0, max(len(paths), 1), FILES_PER_READ):
        chunk = paths[start : start + FILES_PER_READ]
        into = "INSERT INTO events" if start else "CREATE TABLE events AS"
        try:
            con.execute(f"{into} SELECT {columns} FROM ({typed_events(topic, _reader(topic, chunk))})")
        except duckdb.Error:
            for path in chunk:
                try:
                    con.execute(f"SELECT count(*) FROM {_reader(topic, [path])}")
                except duckdb.Error as error:
                    raise UnreadableFile(f"raw file '{files[path]}': {str(error).splitlines()[0]}") from error
            raise
    unreadable = con.execute('SELECT count(*) FROM events WHERE "partition" IS NULL').fetchall()[0][0]
    if unreadable:
        con.execute('DELETE FROM events WHERE "partition" IS NULL')
    rows, distinct = con.execute(
        'SELECT count(*), count(DISTINCT ("partition"::HUGEINT << 64) + "offset") FROM events'
    ).fetchall()[0]
    if rows != distinct:
        con.execute('CREATE TABLE once AS SELECT DISTINCT ON ("partition", "offset") * FROM events')
        con.execute("DROP TABLE events")
        con.execute("ALTER TABLE once RENAME TO events")
    return unreadable


def unreadable_lines(topic: str, files: dict[Path, str]) -> list[dict]:
    """The lines that are no raw event, with the file and line where each stands."""
    import pyarrow as pa  # only here: it takes a quarter of a small run's start

    found = []
    for path, origin in files.items():
        with pa.input_stream(str(path), compression="detect") as stream:
            for number, line in enumerate(stream.read().split(b"\n"), 1):
                reason = _objection(topic, line) if line.strip() else None
                if reason:
                    found.append({"topic": topic, "file": origin, "line": number, **reason, **_text(line)})
    return found


def _columns(topic: str) -> tuple[str, ...]:
    words = set().union(*(r.words for r in ROLLUPS.values() if r.topic == topic))
    return fields_read(TOPICS[topic], words, ALWAYS)


def _reader(topic: str, paths: list[Path]) -> str:
    envelope = {
        "topic": "VARCHAR",
        '"partition"': "BIGINT",
        '"offset"': "BIGINT",
        "kafka_timestamp": "VARCHAR",
        "value": value_struct(topic),
    }
    if not paths:
        nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in envelope.items())
        rows = f"SELECT {nothing} LIMIT 0"
    else:
        names = ", ".join(f"'{path}'" for path in paths)
        kinds = ", ".join(f"{name}: '{kind}'" for name, kind in envelope.items())
        rows = (
            f"SELECT * FROM read_json([{names}], format = 'newline_delimited', ignore_errors = true, "
            f"maximum_object_size = {LARGEST_LINE}, columns = {{{kinds}}})"
        )
    readable = f'topic = \'{topic}\' AND "partition" >= 0 AND "offset" >= 0 AND value IS NOT NULL'
    return (
        f'(SELECT CASE WHEN {readable} AND {_ARRIVED} IS NOT NULL THEN "partition" END AS "partition", "offset", '
        f"{_ARRIVED} AS kafka_ts, value FROM ({rows}))"
    )


def _objection(topic: str, line: bytes) -> dict | None:
    try:
        envelope = json.loads(line)
    except (ValueError, RecursionError):
        return {"reason": "not_json", "detail": "a raw line must be JSON"}
    fine = (
        isinstance(envelope, dict)
        and envelope.get("topic") == topic
        and all(type(envelope.get(n)) is int and 0 <= envelope[n] < 2**63 for n in ("partition", "offset"))
        and _is_arrival(envelope.get("kafka_timestamp"))
        and envelope.get("value") is not None
    )
    return (
        None
        if fine
        else {"reason": "bad_envelope", "detail": f"a raw line must be an event of {topic} in its envelope"}
    )


def _is_arrival(stamp: object) -> bool:
    query = f"SELECT {_ARRIVED} IS NOT NULL FROM (SELECT ? AS kafka_timestamp)"
    return isinstance(stamp, str) and duckdb.execute(query, [stamp]).fetchall() == [(True,)]


def _text(line: bytes) -> dict:
    try:
        return {"value": line.decode()}
    except UnicodeDecodeError:
        return {"value": base64.b64encode(line).decode(), "value_encoding": "base64"}
