"""What a Spark task makes of its part of a micro-batch: rollups of the events that count, their sightings, an account.

A task holds whole Kafka partitions, whose events it judges against everything that was seen before. Where an id stands
in the parts of several tasks, one task takes that topic again as a whole.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalogue.at_rest.erasures import Erasures
from catalogue.sql.duplicates import counted_of, duplicates_of, identified
from catalogue.sql.statements import execute, rows
from catalogue.sql.typed_events import erased_fault, is_erased, persons_of
from catalogue.sql.verdicts import by_topic, typed
from runtime.errors import PlatformError
from runtime.spark.workers import forget_zip_archives
from runtime.timestamps import written
from speed_layer.known_ids import KnownIds
from speed_layer.typed_records import columns_of, connection, rollups_of

SCHEMA = "contribution binary"
_ROW = pa.schema([("contribution", pa.binary())])
# What is searched for a topic's ids is shared by all, and made when it is first needed.
_SEARCHING = threading.Lock()
FATES = ("read", "unparseable", "landed", "counted", "duplicate", "invalid", "erased")


class LedgerOpen(PlatformError):
    """Events that were read are neither counted nor accounted for otherwise."""


@dataclass(frozen=True)
class PartitionAccount:
    """A partition's part: the exclusive end of what was read, its newest arrival, how many events met which fate."""

    end: int
    newest: str
    fates: dict[str, int]


@dataclass(frozen=True)
class Contribution:
    """What the events of a topic in one task add: `rollups` (column `rollup` names each row's), `sightings` as
    `sightings.COLUMNS` has them but for the topic, and what became of the events by partition.
    """

    topic: str
    rollups: pa.Table
    sightings: pa.Table
    accounts: dict[str, PartitionAccount]


def contributions(
    batches: Iterable[pa.RecordBatch], known: KnownIds, horizon_days: int, gone: Erasures, beside: int = 1
) -> Iterator[pa.RecordBatch]:
    """Rows of SCHEMA, one for each topic of Kafka's records (topic, partition, offset, timestamp, value).

    Events of people who are `gone` don't count. `beside` each other so many topics are worked on: DuckDB leaves
    Python's lock alone.

    An own error is a row as well, so that it reaches the driver as what it is.
    """
    arrived: dict[str, list[pa.Table]] = {}

    def typed_of(part: tuple[str, pa.Table]) -> tuple[str, pa.Table]:
        topic, records = part
        return topic, typed(connection(topic), topic, records, columns_of(topic))

    def contribution_of(topic: str) -> Contribution:
        return contribution(connection(topic), topic, pa.concat_tables(arrived[topic]), known, horizon_days, gone)

    try:
        with ThreadPoolExecutor(beside) as threads:
            for batch in batches:
                for topic, events in threads.map(typed_of, by_topic(batch)):
                    arrived.setdefault(topic, []).append(events)
            yield from map(_row, threads.map(contribution_of, arrived))
    except PlatformError as error:
        yield _row(error)
    forget_zip_archives()


def opened(yielded: Iterable[bytes]) -> list[Contribution]:
    """What tasks have yielded; an error among it is raised."""
    found = []
    for row in yielded:
        made = pickle.loads(row)
        if isinstance(made, PlatformError):
            raise made
        found.append(made)
    return found


def contribution(
    con: duckdb.DuckDBPyConnection, topic: str, arrived: pa.Table, known: KnownIds, horizon_days: int, gone: Erasures
) -> Contribution:
    """What typed events of a topic, but those of people who are `gone`, add to everything `known`.

    LedgerOpen where an event is lost on the way.
    """
    con.register("arrived", arrived)
    execute(
        con,
        f"""CREATE OR REPLACE TEMP TABLE events AS SELECT * EXCLUDE (parseable, faulty, erased),
        CASE WHEN erased THEN {erased_fault()} WHEN faulty THEN '' END AS fault,
        date_trunc('minute', ts) AS minute FROM arrived WHERE parseable""",
    )
    for field in persons_of(topic) if gone.people else ():
        if people := gone.among(pc.unique(arrived[field]).to_pylist()):
            con.execute(f"UPDATE events SET fault = {erased_fault()} WHERE {field} IN (SELECT unnest(?))", [people])
    execute(con, f"CREATE OR REPLACE TEMP TABLE fresh AS {identified('events')}")
    sightings = rows(
        con,
        """SELECT unhex(replace(event_id::VARCHAR, '-', '')) AS event_id, "partition", "offset",
        kafka_ts, event_id AS id FROM fresh""",
    )
    ids = sightings["event_id"].cast(pa.binary(16))
    with _SEARCHING:
        places, arrivals = known.sightings(topic, ids)
    earlier = pa.table({"event_id": sightings["id"].take(places), "kafka_ts": arrivals.astype("datetime64[us]")})
    con.register("earlier", earlier)
    repeated = len(places) or len(pc.unique(ids)) < len(ids)  # mostly not, and asking takes long beside few events
    found = (
        duplicates_of("fresh", "earlier", horizon_days)
        if repeated
        else 'SELECT "partition", "offset" FROM fresh LIMIT 0'
    )
    execute(con, f"CREATE OR REPLACE TEMP TABLE duplicates AS {found}")
    execute(con, f"CREATE OR REPLACE TEMP TABLE counted AS {counted_of('events', 'duplicates')}")
    rollups = " UNION ALL BY NAME ".join(
        f"SELECT '{r.name}' AS rollup, * FROM ({r.roll_up('counted')})" for r in rollups_of(topic)
    )
    made = Contribution(
        topic,
        rows(con, rollups),
        sightings.drop_columns(["id"]).set_column(0, "event_id", ids),
        dict(_accounts(con, topic)),
    )
    con.unregister("arrived")
    con.unregister("earlier")
    return made


def judged(run: Callable[[tuple[str, ...]], list[Contribution]]) -> list[Contribution]:
    """What tasks make of a micro-batch: `run` gives the contributions of several tasks, or, with topics, those of one
    task that takes all of their events.
    """
    found = run(())
    again = tuple(sorted(_shared(found)))
    return [c for c in found if c.topic not in again] + run(again) if again else found


def _shared(found: list[Contribution]) -> set[str]:
    """The topics in which several contributions have sightings of one id."""
    by_topic: dict[str, list[pa.ChunkedArray]] = {}
    for one in found:
        by_topic.setdefault(one.topic, []).append(pc.unique(one.sightings["event_id"]))
    return {
        topic
        for topic, ids in by_topic.items()
        if len(ids) > 1 and len(pc.unique(pa.chunked_array(ids))) < sum(map(len, ids))
    }


def _row(made: Contribution | PlatformError) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"contribution": pickle.dumps(made)}], _ROW)


def _accounts(con: duckdb.DuckDBPyConnection, topic: str) -> Iterator[tuple[str, PartitionAccount]]:
    found = execute(
        con,
        f"""SELECT "partition", max("offset") + 1, max(kafka_ts), count(parseable),
        count(*) FILTER (NOT parseable), count(*) FILTER (parseable),
        count(*) FILTER (place = 'counted'), count(*) FILTER (place = 'duplicates'),
        count(fault) FILTER (NOT {is_erased("fault")}), count(*) FILTER ({is_erased("fault")})
        FROM (SELECT 'arrived' AS place, "partition", "offset", kafka_ts, parseable FROM arrived
            UNION ALL BY NAME SELECT 'events' AS place, "partition", fault FROM events
            UNION ALL BY NAME SELECT 'counted' AS place, "partition" FROM counted
            UNION ALL BY NAME SELECT 'duplicates' AS place, "partition" FROM duplicates)
        GROUP BY "partition" ORDER BY "partition" """,
    )
    for partition, end, newest, *counts in found.fetchall():
        fates = dict(zip(FATES, counts, strict=True))
        if (
            fates["landed"] != fates["counted"] + fates["duplicate"] + fates["invalid"] + fates["erased"]
            or fates["read"] != fates["landed"] + fates["unparseable"]
        ):
            raise LedgerOpen(f"{topic} partition {partition}: ledger must close; got {fates}")
        yield str(partition), PartitionAccount(end, written(newest), fates)
