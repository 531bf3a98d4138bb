"""The rule for duplicates, the same text for the batch and the speed layer.

An event_id counts once, at its first sighting; a later one is a duplicate while it follows the one before it within
the horizon, by arrival in Kafka. What was taken in earlier comes first; what is taken in together is in the order of
offset and partition.
"""

from __future__ import annotations

import duckdb

MICROSECONDS_A_DAY = 86_400_000_000


def mark_duplicates(con: duckdb.DuckDBPyConnection, horizon_days: int) -> None:
    """Make table `duplicates` (partition, offset) and view `counted`, the valid events that are none.

    Reads `events` (typed events) and `prior_ids` (event_id, partition, kafka_ts: earlier sightings).
    """
    con.execute(f"""CREATE OR REPLACE TABLE duplicates AS
        WITH fresh AS (SELECT * FROM events WHERE fault IS NULL AND event_id IS NOT NULL),
        repeated AS (
            SELECT event_id FROM fresh GROUP BY 1 HAVING count(*) > 1
            UNION SELECT event_id FROM prior_ids SEMI JOIN fresh USING (event_id)
        ), sightings AS (
            SELECT event_id, false AS is_fresh, -1 AS "offset", "partition", kafka_ts
            FROM prior_ids SEMI JOIN repeated USING (event_id)
            UNION ALL SELECT event_id, true, "offset", "partition", kafka_ts
            FROM fresh SEMI JOIN repeated USING (event_id)
        ), gaps AS (
            SELECT *, epoch_us(kafka_ts) - epoch_us(lag(kafka_ts) OVER (
                PARTITION BY event_id ORDER BY is_fresh, CASE WHEN is_fresh THEN "offset" ELSE epoch_us(kafka_ts) END,
                "partition")) AS gap
            FROM sightings
        ) SELECT "partition", "offset" FROM gaps WHERE is_fresh AND gap <= {horizon_days * MICROSECONDS_A_DAY}""")
    con.execute("""CREATE OR REPLACE VIEW counted AS SELECT * FROM (SELECT * FROM events WHERE fault IS NULL)
        ANTI JOIN duplicates USING ("partition", "offset")""")
