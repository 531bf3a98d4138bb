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
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalogue.at_rest.erasures import Erasures
from catalogue.sql.duplicates import counted_of, duplicates_of, identified
from catalogue.sql.statements import connection, rows
from catalogue.sql.typed_events import ERASED, FAULT_SEPARATOR, erased_fault, persons_of
from catalogue.sql.verdicts import by_topic, typed
from runtime.errors import PlatformError
from runtime.spark.workers import forget_zip_archives
from runtime.timestamps import written
from speed_layer.known_ids import KnownIds
from speed_layer.typed_records import columns_of, rollups_of

SCHEMA = "contribution binary"
_ROW = pa.schema([("contribution", pa.binary())])
# What is searched for a topic's ids is shared by all, and made when it is first needed.
_SEARCHING = threading.Lock()
EVENTS = f"""SELECT * EXCLUDE (parseable, faulty, erased),
    CASE WHEN erased THEN {erased_fault()} WHEN faulty THEN '' END AS fault, date_trunc('minute', ts) AS minute
FROM arrived WHERE parseable"""
FRESH = f"SELECT *, unhex(replace(event_id::VARCHAR, '-', '')) AS id FROM ({identified('events')})"
NO_DUPLICATES = pa.table({"partition": pa.array([], pa.int32()), "offset": pa.array([], pa.int64())})
COUNTED = counted_of("events", "duplicates")


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
    events = rows(con, EVENTS, arrived=arrived)
    persons = persons_of(topic) if gone.people else ()
    if people := {one for field in persons for one in gone.among(pc.unique(events[field]).to_pylist())}:
        events = rows(con, _without(persons), events=events, people=pa.table({"person": sorted(people)}))
    fresh = rows(con, FRESH, events=events)
    ids = fresh["id"].cast(pa.binary(16))
    with _SEARCHING:
        places, arrivals = known.sightings(topic, ids)
    duplicates = NO_DUPLICATES
    if len(places) or len(pc.unique(ids)) < len(ids):
        seen = {"event_id": fresh["event_id"].take(places), "kafka_ts": arrivals.astype("datetime64[us]")}
        found = duplicates_of("fresh", "earlier", horizon_days)
        duplicates = rows(con, found, fresh=fresh, earlier=pa.table(seen))
    counted = rows(con, COUNTED, events=events, duplicates=duplicates)
    return Contribution(
        topic,
        rows(con, _rolled_up(topic), counted=counted),
        fresh.drop_columns(["id"]).set_column(0, "event_id", ids),
        dict(_accounts(topic, arrived, events, counted, duplicates)),
    )


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


@cache
def _without(persons: tuple[str, ...]) -> str:
    """SELECT of events of which those that name one of `people` have the fault of erased ones."""
    named = " OR ".join(f"coalesce({field} IN (FROM people), false)" for field in persons)
    return f"SELECT * REPLACE (CASE WHEN {named} THEN {erased_fault()} ELSE fault END AS fault) FROM events"


@cache
def _rolled_up(topic: str) -> str:
    return " UNION ALL BY NAME ".join(
        f"SELECT '{r.name}' AS rollup, * FROM ({r.roll_up('counted')})" for r in rollups_of(topic)
    )


def _accounts(
    topic: str, arrived: pa.Table, events: pa.Table, counted: pa.Table, duplicates: pa.Table
) -> Iterator[tuple[str, PartitionAccount]]:
    erased = pc.starts_with(events["fault"], ERASED + FAULT_SEPARATOR)
    met = {
        "read": arrived,
        "unparseable": arrived.filter(pc.invert(arrived["parseable"])),
        "landed": events,
        "counted": counted,
        "duplicate": duplicates,
        "invalid": events.filter(pc.invert(erased)),
        "erased": events.filter(erased),
    }
    counts = {fate: _by_partition(table) for fate, table in met.items()}
    ends = arrived.group_by("partition").aggregate([("offset", "max"), ("kafka_ts", "max")]).sort_by("partition")
    for one in ends.to_pylist():
        partition = one["partition"]
        fates = {fate: found.get(partition, 0) for fate, found in counts.items()}
        if (
            fates["landed"] != fates["counted"] + fates["duplicate"] + fates["invalid"] + fates["erased"]
            or fates["read"] != fates["landed"] + fates["unparseable"]
        ):
            raise LedgerOpen(f"{topic} partition {partition}: ledger must close; got {fates}")
        yield str(partition), PartitionAccount(one["offset_max"] + 1, written(one["kafka_ts_max"]), fates)


def _by_partition(table: pa.Table) -> dict[int, int]:
    return {one["values"]: one["counts"] for one in pc.value_counts(table["partition"]).to_pylist()}
