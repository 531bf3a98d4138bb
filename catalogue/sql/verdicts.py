"""What ingestion needs to know of an event as it arrives: its raw line, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalogue.at_rest.raw_files import raw_line
from catalogue.events.unmapped import UNMAPPED
from catalogue.sql.statements import rows
from catalogue.sql.typed_events import (
    FAULT_SEPARATOR,
    is_erased,
    persons_of,
    strict_json,
    typed_events,
    value_transform,
)


def by_topic(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Table]]:
    """A batch of Kafka's records (topic, partition, offset, timestamp, value; NULL reads as empty), topic by topic, as
    `inspect` and `typed` take them."""
    table = pa.Table.from_batches([batch])
    for topic in pc.unique(table["topic"]).to_pylist():
        mine = table.filter(pc.equal(table["topic"], topic))
        yield (
            topic,
            pa.table(
                {
                    "partition": mine["partition"],
                    "offset": mine["offset"],
                    "kafka_timestamp": mine["timestamp"].cast(pa.timestamp("us", "UTC")),
                    "value": pc.fill_null(mine["value"], b""),
                }
            ),
        )


def _parsed(topic: str) -> str:
    """The common tables that decode and parse `records`: `parsed` has value NULL where it is no JSON object."""
    object_text = f"json_type(text) = 'OBJECT' AND {strict_json('text')}"
    return f"""texts AS MATERIALIZED (SELECT *, TRY(decode(value)) AS text, row_number() OVER () AS n FROM records),
parsed AS MATERIALIZED (
    SELECT * EXCLUDE (value), kafka_timestamp AT TIME ZONE 'UTC' AS kafka_ts,
        TRY(CASE WHEN {object_text} THEN json_transform(text, '{value_transform(topic)}') END) AS value
    FROM texts
)"""


@cache
def _unmapped_query() -> str:
    """What was collected and no mapping knows is raw like an event, and in quarantine with why."""
    object_text = f"json_type(text) = 'OBJECT' AND {strict_json('text')}"
    line = raw_line(UNMAPPED.name, '"partition"', '"offset"', "kafka_timestamp AT TIME ZONE 'UTC'", "text")
    return f"""
WITH texts AS MATERIALIZED (SELECT *, TRY(decode(value)) AS text, row_number() OVER () AS n FROM records),
judged AS MATERIALIZED (
    SELECT *, CASE WHEN json_valid(text) THEN {object_text} ELSE false END AS good
    FROM texts
)
SELECT "partition", "offset", kafka_timestamp,
    CASE WHEN good THEN {line} END AS line,
    CASE WHEN text IS NULL THEN 'not_utf8' WHEN NOT good THEN 'not_an_object' ELSE 'unmapped' END AS reason,
    CASE WHEN text IS NULL THEN 'value must be UTF-8' WHEN NOT good THEN 'value must be a JSON object'
        ELSE CASE WHEN good THEN coalesce(json_extract_string(text, '$.reason'), 'no mapping knows it') END
    END AS detail,
    good AS parseable
FROM judged ORDER BY n"""


@cache
def _query(topic: str) -> str:
    if topic == UNMAPPED.name:
        return _unmapped_query()
    line = raw_line(topic, 'p."partition"', 'p."offset"', "p.kafka_timestamp AT TIME ZONE 'UTC'", "text")
    return f"""
WITH {_parsed(topic)}, verdicts AS (
    SELECT "partition", "offset", fault, {", ".join(persons_of(topic))}
    FROM ({typed_events(topic, "(SELECT * FROM parsed WHERE value IS NOT NULL)")})
)
SELECT p."partition", p."offset", p.kafka_timestamp,
    CASE WHEN value IS NOT NULL THEN {line} END AS line,
    CASE WHEN text IS NULL THEN 'not_utf8' WHEN value IS NULL THEN 'not_an_object'
        ELSE split_part(fault, '{FAULT_SEPARATOR}', 1) END AS reason,
    CASE WHEN text IS NULL THEN 'value must be UTF-8' WHEN value IS NULL THEN 'value must be a JSON object'
        ELSE split_part(fault, '{FAULT_SEPARATOR}', 2) END AS detail,
    value IS NOT NULL AS parseable, {", ".join(f"v.{name}" for name in persons_of(topic))}
FROM parsed p LEFT JOIN verdicts v ON p."partition" = v."partition" AND p."offset" = v."offset"
ORDER BY n"""


def inspect(con: duckdb.DuckDBPyConnection, topic: str, records: pa.Table) -> pa.Table:
    """Judge records of one topic.

    `records`: partition int32, offset int64, kafka_timestamp timestamp[us, UTC], value binary. Returns one row per
    record in the same order: partition, offset, kafka_timestamp, line (the raw envelope without line break, NULL
    when the value is no JSON object), reason and detail (NULL when valid), parseable, and the fields that name persons.
    """
    return rows(con, _query(topic), records=records)


@cache
def _typed_query(topic: str, columns: tuple[str, ...]) -> str:
    chosen = ", ".join(columns)
    return f"""
WITH {_parsed(topic)}, typed AS ({typed_events(topic, "(SELECT * FROM parsed WHERE value IS NOT NULL)")})
SELECT "partition", "offset", kafka_ts, true AS parseable, fault IS NOT NULL AS faulty,
    coalesce({is_erased("fault")}, false) AS erased, {chosen} FROM typed
UNION ALL BY NAME
SELECT "partition", "offset", kafka_ts, false AS parseable, true AS faulty, false AS erased
FROM parsed WHERE value IS NULL"""


def typed(con: duckdb.DuckDBPyConnection, topic: str, records: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    """Typed events of records as `inspect` takes them.

    One row per record, in no order: partition, offset, kafka_ts (UTC), parseable, faulty, erased, and `columns` of
    `catalogue.sql.typed_events.typed_events`.
    """
    return rows(con, _typed_query(topic, columns), records=records)
