"""Typed events of one micro-batch, judged against every id seen before, become the rollups of one delta."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catalogue.at_rest.ledger import Ledger
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.duplicates import counted_of, duplicates_of, identified
from runtime.timestamps import written
from speed_layer.typed_records import rollups_of

COUNTED = ("read", "unparseable", "landed", "counted", "duplicate", "invalid")


@dataclass
class Made:
    """What a delta says of its events: exclusive ends and ledger by topic and partition, newest arrivals by topic."""

    ends: dict[str, dict[str, int]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)


class DeltaMaker:
    """Knows the ids of the horizon, by topic, and makes deltas from what arrives."""

    def __init__(self, horizon_days: int) -> None:
        self.horizon_days = horizon_days
        self.con = connect()
        columns = 'event_id UUID, "partition" BIGINT, kafka_ts TIMESTAMP'
        for topic in TOPICS:
            self.con.execute(f"CREATE TABLE seen_{topic} ({columns})")

    def close(self) -> None:
        """Forget everything."""
        self.con.close()
        del self.con  # Spark's callbacks outlive this; a connection that does is reported as leaked at the exit

    def remember(self, topic: str, files: list[Path]) -> None:
        """Take the ids of Parquet files as seen; files of all topics have a column `topic`."""
        for file in files:
            columns = [c[0] for c in self.con.execute(f"DESCRIBE FROM read_parquet('{file}')").fetchall()]
            where = f"WHERE topic = '{topic}'" if "topic" in columns else ""
            self.con.execute(
                f"INSERT INTO seen_{topic} SELECT event_id, \"partition\", kafka_ts FROM read_parquet('{file}') {where}"
            )

    def forget_old(self) -> None:
        """Drop the ids that no later event can repeat within the horizon."""
        for topic in TOPICS:
            self.con.execute(
                f"DELETE FROM seen_{topic} WHERE kafka_ts < (SELECT min(newest) FROM (SELECT max(kafka_ts) AS newest "
                f'FROM seen_{topic} GROUP BY "partition")) - INTERVAL {self.horizon_days} DAY'
            )

    def make(self, arrived: dict[str, pa.Table], data: Path, ids: Path) -> Made:
        """Write the rollups to `data` (one Parquet file, column `rollup` names each) and the ids to `ids`."""
        made, parts = Made(), []
        con = self.con
        con.execute(
            'CREATE OR REPLACE TABLE fresh_ids (topic VARCHAR, event_id UUID, "partition" BIGINT, kafka_ts TIMESTAMP)'
        )
        for topic, events in arrived.items():
            con.register("arrived", events)
            con.execute("""CREATE OR REPLACE TABLE events AS SELECT * EXCLUDE (parseable, faulty),
                CASE WHEN faulty THEN '' END AS fault, date_trunc('minute', ts) AS minute
                FROM arrived WHERE parseable""")
            con.execute(f"CREATE OR REPLACE TABLE fresh AS {identified('events')}")
            duplicates = duplicates_of("fresh", f"seen_{topic}", self.horizon_days)
            con.execute(f"CREATE OR REPLACE TABLE duplicates AS {duplicates}")
            con.execute(f"CREATE OR REPLACE VIEW counted AS {counted_of('events', 'duplicates')}")
            for rollup in rollups_of(topic):
                con.execute(f"CREATE OR REPLACE TABLE {rollup.name} AS {rollup.roll_up('counted')}")
                parts.append(f"SELECT '{rollup.name}' AS rollup, * FROM {rollup.name}")
            self._account(topic, made)
            con.execute(
                f"INSERT INTO fresh_ids SELECT '{topic}', event_id, \"partition\", kafka_ts FROM events "
                "WHERE fault IS NULL AND event_id IS NOT NULL"
            )
            con.execute(
                f'INSERT INTO seen_{topic} SELECT event_id, "partition", kafka_ts FROM fresh_ids '
                f"WHERE topic = '{topic}'"
            )
            con.unregister("arrived")
        con.execute(f"COPY ({' UNION ALL BY NAME '.join(parts)}) TO '{data}' (FORMAT parquet)")
        con.execute(f"COPY fresh_ids TO '{ids}' (FORMAT parquet)")
        return made

    def _account(self, topic: str, made: Made) -> None:
        rows = self.con.execute("""SELECT "partition", max("offset") + 1, count(*), count(*) FILTER (NOT parseable),
            count(*) FILTER (parseable), count(*) FILTER (parseable AND faulty),
            (SELECT count(*) FROM duplicates d WHERE d."partition" = a."partition"), max(kafka_ts)
            FROM arrived a GROUP BY "partition" ORDER BY "partition" """).fetchall()
        counted = dict(self.con.execute('SELECT "partition", count(*) FROM counted GROUP BY 1').fetchall())
        for partition, end, read, unparseable, landed, invalid, duplicate, newest in rows:
            figures = (read, unparseable, landed, counted.get(partition, 0), duplicate, invalid)
            entry = dict(zip(COUNTED, figures, strict=True))
            if landed != entry["counted"] + duplicate + invalid or read != landed + unparseable:
                raise ValueError(f"{topic} partition {partition}: ledger must close; got {entry}")
            made.ends.setdefault(topic, {})[str(partition)] = end
            made.ledger.setdefault(topic, {})[str(partition)] = entry
            made.newest[topic] = max(made.newest.get(topic, ""), written(newest))
