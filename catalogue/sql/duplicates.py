"""The rule for duplicates, the same text for the batch and the speed layer.

Sightings of an event_id that follow each other within the horizon, by arrival in Kafka, are a chain. Of a chain one
counts: one that was taken in earlier, else the lowest offset, and of equal offsets the lowest partition.
"""

from __future__ import annotations

MICROSECONDS_A_DAY = 86_400_000_000


def identified(events: str) -> str:
    """SELECT of what is compared of the relation `events` of typed events: valid ones with an id."""
    return (
        f'SELECT event_id, "partition", "offset", kafka_ts FROM {events} WHERE fault IS NULL AND event_id IS NOT NULL'
    )


def duplicates_of(fresh: str, earlier: str, horizon_days: int) -> str:
    """SELECT of partition and offset of the duplicates in the relation `fresh`, which has the columns of `identified`.

    `earlier` is a relation of what was taken in before: event_id and kafka_ts of at least each id's last sighting.
    """
    return f"""
        WITH repeated AS (
            SELECT event_id FROM {fresh} GROUP BY 1 HAVING count(*) > 1
            UNION SELECT event_id FROM {earlier} SEMI JOIN {fresh} USING (event_id)
        ), sightings AS (
            SELECT event_id, false AS is_fresh, -1 AS "offset", -1 AS "partition", kafka_ts
            FROM {earlier} SEMI JOIN repeated USING (event_id)
            UNION ALL SELECT event_id, true, "offset", "partition", kafka_ts
            FROM {fresh} SEMI JOIN repeated USING (event_id)
        ), gaps AS (
            SELECT *, epoch_us(kafka_ts) - epoch_us(lag(kafka_ts) OVER by_arrival) > {horizon_days * MICROSECONDS_A_DAY}
                AS begins
            FROM sightings
            WINDOW by_arrival AS (PARTITION BY event_id ORDER BY kafka_ts, is_fresh, "offset", "partition")
        ), chains AS (
            SELECT *, count(*) FILTER (begins) OVER by_arrival AS chain FROM gaps
            WINDOW by_arrival AS (PARTITION BY event_id ORDER BY kafka_ts, is_fresh, "offset", "partition")
        ), places AS (
            SELECT *, row_number() OVER (PARTITION BY event_id, chain ORDER BY is_fresh, "offset", "partition") AS place
            FROM chains
        ) SELECT "partition", "offset" FROM places WHERE is_fresh AND place > 1"""


def counted_of(events: str, duplicates: str) -> str:
    """SELECT of the events that count: the valid ones of `events` whose partition and offset `duplicates` lacks."""
    return (
        f"SELECT * FROM (SELECT * FROM {events} WHERE fault IS NULL) "
        f'ANTI JOIN {duplicates} USING ("partition", "offset")'
    )
