"""What ingestion needs to know of an event as it arrives: its raw line, and what is wrong with it."""

from __future__ import annotations

import json
from functools import cache

import duckdb
import pyarrow as pa

from catalogue.validation import FAULT_SEPARATOR, strict_json, typed_events, value_transform


def connect() -> duckdb.DuckDBPyConnection:
    """A single-threaded in-memory connection in UTC, for use inside a task."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    return con


@cache
def _query(topic: str) -> str:
    head = json.dumps(topic)
    return f"""
WITH texts AS MATERIALIZED (SELECT *, TRY(decode(value)) AS text, row_number() OVER () AS n FROM records),
parsed AS MATERIALIZED (
    SELECT * EXCLUDE (value), TRY(CASE WHEN json_type(text) = 'OBJECT' AND {strict_json("text")} THEN json_transform(text, '{value_transform(topic)}') END) AS value
    FROM texts
), verdicts AS (
    SELECT "partition", "offset", fault FROM ({typed_events(topic, "(SELECT *, kafka_timestamp AT TIME ZONE 'UTC' AS kafka_ts FROM parsed WHERE value IS NOT NULL)")})
)
SELECT p."partition", p."offset", p.kafka_timestamp,
    CASE WHEN value IS NOT NULL THEN concat('{{"topic":{head},"partition":', p."partition", ',"offset":', p."offset",
        ',"kafka_timestamp":"', strftime(p.kafka_timestamp AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%g'), 'Z","value":',
        translate(text, chr(10) || chr(13), '  '), '}}') END AS line,
    CASE WHEN text IS NULL THEN 'not_utf8' WHEN value IS NULL THEN 'not_an_object'
        ELSE split_part(fault, '{FAULT_SEPARATOR}', 1) END AS reason,
    CASE WHEN text IS NULL THEN 'value must be UTF-8' WHEN value IS NULL THEN 'value must be a JSON object'
        ELSE split_part(fault, '{FAULT_SEPARATOR}', 2) END AS detail,
    value IS NOT NULL AS parseable
FROM parsed p LEFT JOIN verdicts v ON p."partition" = v."partition" AND p."offset" = v."offset"
ORDER BY n"""


def inspect(con: duckdb.DuckDBPyConnection, topic: str, records: pa.Table) -> pa.Table:
    """Judge records of one topic.

    `records`: partition int32, offset int64, kafka_timestamp timestamp[us, UTC], value binary. Returns one row per
    record in the same order: partition, offset, kafka_timestamp, line (the raw envelope without line break, NULL
    when the value is no JSON object), reason and detail (NULL when valid), parseable.
    """
    con.register("records", records)
    try:
        return con.sql(_query(topic)).to_arrow_table()
    finally:
        con.unregister("records")
