"""A topic's state between runs: of each rollup, and of the event ids of the horizon, a settled part and a recent one.

A run adds to the recent part and hands the settled one on as it is, so that it costs what is new. A recent part that
has grown to a share of the settled one joins it. Together the two are the state: readers merge them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from batch_layer.config import SETTLED_PER_RECENT
from catalogue.at_rest.runs import PARTS, state_file
from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from runtime.storage.store import Store

IDS = "ids"
_ID_TYPES = {"event_id": "UUID", '"partition"': "BIGINT", "kafka_ts": "TIMESTAMP"}


class State:
    """The state of a topic in the tables of `con`, where run `base` left it (None: empty), and as this run writes it.

    Opening makes `settled_<name>` and `recent_<name>` of each rollup and of the ids. `add_up` makes `fresh_<rollup>`,
    what is new, and `<rollup>`, everything.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, topic: str, output: Store, scratch: Path, base: str | None):
        self.con, self.topic, self.output, self.scratch, self.base = con, topic, output, scratch, base
        self.rollups = tuple(r for r in ROLLUPS.values() if r.topic == topic)
        for name, types in {IDS: _ID_TYPES, **{r.name: r.types for r in self.rollups}}.items():
            for part in PARTS:
                if base is None:
                    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
                    con.execute(f"CREATE TABLE {part}_{name} ({columns})")
                else:
                    local = self._local(part, name)
                    output.download(state_file(topic, base, name, part), local)
                    con.execute(f"CREATE VIEW {part}_{name} AS FROM read_parquet('{local}', hive_partitioning = false)")
        con.execute(f"CREATE VIEW {self.earlier} AS FROM settled_{IDS} UNION ALL FROM recent_{IDS}")

    def _local(self, part: str, name: str) -> Path:
        return self.scratch / f"{part}_{name}.parquet"

    @property
    def earlier(self) -> str:
        """The relation of the ids of the horizon: event_id, partition, and kafka_ts of the last sighting there."""
        return f"earlier_{IDS}"

    def add_up(self, rollup: Rollup, counted: str) -> None:
        """Add the events of `counted` to a rollup. Where nothing was before, `<rollup>` is all that is made."""
        name = rollup.name
        fresh = rollup.roll_up(counted)
        if self.base is None:
            self.con.execute(f"CREATE TABLE {name} AS {fresh}")
            return
        self.con.execute(f"CREATE TABLE fresh_{name} AS {fresh}")
        young = rollup.merge(f"(FROM recent_{name} UNION ALL FROM fresh_{name})")
        self.con.execute(f"CREATE TABLE young_{name} AS {young}")
        touched = self._touched(rollup)
        mixed = rollup.merge(f"(FROM settled_{name} AS s WHERE {touched} UNION ALL FROM young_{name})")
        self.con.execute(f"CREATE TABLE mixed_{name} AS {mixed}")
        # Days stand apart: what is read of the others can be read where it is.
        kind = "VIEW" if "date" in rollup.grain else "TABLE"
        self.con.execute(
            f"CREATE {kind} {name} AS FROM settled_{name} AS s WHERE NOT {touched} UNION ALL FROM mixed_{name}"
        )

    def _touched(self, rollup: Rollup) -> str:
        """The condition of being a settled row (`s`) that young ones may have to be merged with."""
        if "date" in rollup.grain:
            days = self.con.execute(f"SELECT DISTINCT date FROM young_{rollup.name} ORDER BY 1").fetchall()
            listed = ", ".join(f"DATE '{day}'" for (day,) in days)
            return f"(s.date IN ({listed}))" if days else "(false)"
        same = " AND ".join(f"y.{column} IS NOT DISTINCT FROM s.{column}" for column in rollup.grain)
        return f"(EXISTS (FROM young_{rollup.name} AS y WHERE {same}))"

    def save(self, run: str, sightings: str, horizon_days: int) -> None:
        """Write every rollup, and the ids with those of the relation `sightings`, as the state of `run`."""
        for rollup in self.rollups:
            self._save(run, rollup.name, f"FROM {rollup.name}", f"FROM young_{rollup.name}")
        fresh = f'SELECT event_id, "partition", kafka_ts FROM {sightings}'
        recent = f"FROM recent_{IDS} UNION ALL {fresh}"
        self._save(run, IDS, _within(horizon_days, f"FROM settled_{IDS} UNION ALL {recent}"), recent)

    def _save(self, run: str, name: str, everything: str, recent: str) -> None:
        if self.base is None or self._is_large(name, recent):
            self.put(everything, state_file(self.topic, run, name, "settled"))
            recent = f"FROM recent_{name} LIMIT 0"
        else:
            self.output.upload(self._local("settled", name), state_file(self.topic, run, name, "settled"))
        self.put(recent, state_file(self.topic, run, name, "recent"))

    def _is_large(self, name: str, recent: str) -> bool:
        rows, settled = self.con.execute(
            f"SELECT (SELECT count(*) FROM ({recent})), (SELECT count(*) FROM settled_{name})"
        ).fetchall()[0]
        return bool(rows * SETTLED_PER_RECENT > settled)

    def put(self, query: str, path: str) -> tuple[int, dict[str, str]]:
        """Write the rows of a query as a Parquet file of the output; how many they are, and the columns' types."""
        local = self.scratch / "out.parquet"
        rows = self.con.execute(f"COPY ({query}) TO '{local}' (FORMAT parquet)").fetchall()[0][0]
        columns = self.con.execute(f"DESCRIBE FROM read_parquet('{local}', hive_partitioning = false)").fetchall()
        self.output.upload(local, path)
        local.unlink()
        return rows, {column[0]: column[1] for column in columns}


def _within(horizon_days: int, sightings: str) -> str:
    """The last sighting of each id within the horizon, which ends at a partition's newest arrival."""
    return f"""
        WITH sightings AS ({sightings}), ends AS (SELECT "partition", max(kafka_ts) AS newest FROM sightings GROUP BY 1)
        SELECT event_id, "partition", max(kafka_ts) AS kafka_ts FROM sightings JOIN ends USING ("partition")
        WHERE kafka_ts >= newest - INTERVAL ({horizon_days}) DAY GROUP BY event_id, "partition" """
