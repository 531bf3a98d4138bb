"""One topic's part of a batch run: raw events in, its views out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from catalogue.inspection import connect
from catalogue.rollups import DIALECT
from catalogue.storage import Store
from catalogue.validation import typed_events, value_struct
from catalogue.views import ROLLUPS, VIEWS

RAW_SUFFIXES = (".json", ".json.gz", ".json.zst")


class BatchError(Exception):
    """A topic or view that could not be computed, named, with its cause."""


@dataclass
class TopicResult:
    """What a topic's part of a run covers and wrote; `ledger` and `cut` are by partition."""

    topic: str
    cut: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, dict[str, int]] = field(default_factory=dict)
    views: dict[str, dict] = field(default_factory=dict)
    unreadable_lines: int = 0


def run_topic(topic: str, run: str, raw: Store, output: Store, horizon_days: int) -> TopicResult:
    """Compute every view of `topic` from all its raw files and write them under `<view>/run=<run>/`."""
    con = connect()
    for statement in DIALECT:
        con.execute(statement)
    result = TopicResult(topic)
    with tempfile.TemporaryDirectory() as scratch:
        con.execute(f"SET temp_directory = '{scratch}'")
        _load(con, topic, raw, Path(scratch), result)
        _mark_duplicates(con, horizon_days)
        _close_ledger(con, result)
        for rollup in (r for r in ROLLUPS.values() if r.topic == topic):
            con.execute(f"CREATE TABLE {rollup.name} AS {rollup.roll_up('counted')}")
        for view in (v for v in VIEWS.values() if v.topic == topic):
            target = Path(scratch) / f"{view.name}.parquet"
            try:
                con.execute(f"CREATE TABLE {view.name} AS SELECT * FROM ({view.sql}) ORDER BY {', '.join(view.key)}")
                con.execute(f"COPY {view.name} TO '{target}' (FORMAT parquet)")
            except duckdb.Error as error:
                raise BatchError(f"view '{view.name}': {str(error).splitlines()[0]}") from error
            path = f"{view.name}/run={run}"
            output.upload(target, f"{path}/part-00000.parquet")
            columns = con.execute(f"DESCRIBE {view.name}").fetchall()
            rows = con.execute(f"SELECT count(*) FROM {view.name}").fetchall()[0][0]
            result.views[view.name] = {"path": path, "rows": rows, "columns": {c[0]: c[1] for c in columns}}
    return result


def _load(con: duckdb.DuckDBPyConnection, topic: str, raw: Store, scratch: Path, result: TopicResult) -> None:
    files = []
    for number, entry in enumerate(e for e in raw.list(f"topic={topic}/") if e.path.endswith(RAW_SUFFIXES)):
        name = entry.path.rsplit("/", 1)[1]
        local = scratch / f"{number:08}.{name[name.rindex('.json') + 1 :]}"
        raw.download(entry.path, local)
        if entry.size:
            files.append((str(local), entry.path))
    envelope = {
        "topic": "VARCHAR",
        '"partition"': "INTEGER",
        '"offset"': "BIGINT",
        "kafka_timestamp": "VARCHAR",
        "value": value_struct(topic),
    }
    con.execute(f"CREATE TABLE raw ({', '.join(f'{n} {t}' for n, t in envelope.items())})")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in envelope.items())
    for local, path in files:
        try:
            con.execute(
                f"INSERT INTO raw SELECT * FROM read_json('{local}', format = 'newline_delimited', "
                f"ignore_errors = true, maximum_object_size = 67108864, columns = {{{columns}}})"
            )
        except duckdb.Error as error:
            raise BatchError(f"raw file '{path}': {str(error).splitlines()[0]}") from error
    readable = (
        f"topic = '{topic}' AND \"partition\" >= 0 AND \"offset\" >= 0 AND value IS NOT NULL "
        "AND try_cast(kafka_timestamp AS TIMESTAMPTZ) IS NOT NULL"
    )
    con.execute(f"""CREATE TABLE landed AS SELECT "partition", "offset", value,
        try_cast(kafka_timestamp AS TIMESTAMPTZ)::TIMESTAMP AS kafka_ts FROM raw WHERE coalesce({readable}, false)""")
    result.unreadable_lines = con.execute(
        "SELECT (SELECT count(*) FROM raw) - (SELECT count(*) FROM landed)"
    ).fetchall()[0][0]
    con.execute("DROP TABLE raw")
    con.execute(
        'CREATE TABLE once AS SELECT DISTINCT ON ("partition", "offset") * FROM landed ORDER BY "partition", "offset"'
    )
    con.execute("DROP TABLE landed")
    con.execute(f"CREATE TABLE events AS {typed_events(topic, 'once')}")
    con.execute("DROP TABLE once")


def _mark_duplicates(con: duckdb.DuckDBPyConnection, horizon_days: int) -> None:
    """Table `duplicates`: the valid events whose id was seen within the horizon before them, by arrival."""
    con.execute(f"""CREATE TABLE duplicates AS
        WITH repeated AS (
            SELECT event_id FROM events WHERE fault IS NULL AND event_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1
        ), sightings AS (
            SELECT "partition", "offset", abs(epoch_us(kafka_ts) - epoch_us(lag(kafka_ts) OVER (
                PARTITION BY event_id ORDER BY "offset", "partition"))) AS gap
            FROM events SEMI JOIN repeated USING (event_id) WHERE fault IS NULL
        ) SELECT "partition", "offset" FROM sightings WHERE gap <= {horizon_days} * 86400000000""")
    con.execute("""CREATE VIEW counted AS SELECT * FROM (SELECT * FROM events WHERE fault IS NULL)
        ANTI JOIN duplicates USING ("partition", "offset")""")


def _close_ledger(con: duckdb.DuckDBPyConnection, result: TopicResult) -> None:
    rows = con.execute("""SELECT "partition", max("offset") + 1, count(*), count(fault),
        (SELECT count(*) FROM duplicates d WHERE d."partition" = e."partition"),
        (SELECT count(*) FROM counted c WHERE c."partition" = e."partition")
        FROM events e GROUP BY "partition" ORDER BY "partition" """).fetchall()
    for partition, cut, landed, invalid, duplicate, counted in rows:
        if landed != counted + duplicate + invalid:
            raise BatchError(f"{result.topic} partition {partition}: ledger must close; got {landed} landed, "
                             f"{counted} counted, {duplicate} duplicate, {invalid} invalid")  # fmt: skip
        result.cut[str(partition)] = cut
        result.ledger[str(partition)] = {
            "landed": landed, "counted": counted, "duplicate": duplicate, "invalid": invalid,
        }  # fmt: skip
