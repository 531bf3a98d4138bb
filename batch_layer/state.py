"""A bucket of a topic's state between runs: of each rollup, and of the event ids, a settled part and a recent one.

A run adds to the recent part and leaves the settled one where it stands, so that it costs what is new. A recent part
that has grown to a share of the settled one joins it. Together the two are the state: readers merge them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from batch_layer.config import SETTLED_PER_RECENT
from catalogue.at_rest.runs import PARTS, state_file
from catalogue.sql.dialect import rows_of
from catalogue.views.rollups import Rollup
from runtime.storage.store import Store

IDS = "ids"
ID_TYPES = {"event_id": "UUID", '"partition"': "BIGINT", '"offset"': "BIGINT", "kafka_ts": "TIMESTAMP"}
EARLIER = f"earlier_{IDS}"


class State:
    """A bucket of a topic's state in the tables of `con`, as an earlier run left it, and as `run` writes it.

    `base` are the files of the earlier run's parts by name, None where there was none. `open` makes the tables
    `settled_<name>` and `recent_<name>`; `add_up` makes `fresh_<rollup>`, what is new, and `<rollup>`, everything.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        output: Store,
        scratch: Path,
        topic: str,
        run: str,
        bucket: int,
        base: Mapping[str, list[str]] | None,
    ) -> None:
        self.con, self.output, self.scratch = con, output, scratch
        self.topic, self.run, self.bucket, self.base = topic, run, bucket, base
        self.written: dict[str, dict[str, list[str]]] = {}

    def open(self, name: str, types: Mapping[str, str]) -> None:
        """Make the tables of what was there before of a rollup, or of the ids."""
        for number, part in enumerate(PARTS):
            if self.base is None:
                columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
                self.con.execute(f"CREATE TABLE {part}_{name} ({columns})")
            else:
                local = self.scratch / f"{part}_{name}.parquet"
                self.output.download(self.base[name][number], local)
                self.con.execute(f"CREATE VIEW {part}_{name} AS FROM {rows_of(local)}")

    def open_ids(self) -> None:
        """Make the relation EARLIER of the ids of the horizon: the last sighting of each, by partition."""
        self.open(IDS, ID_TYPES)
        self.con.execute(f"CREATE VIEW {EARLIER} AS FROM settled_{IDS} UNION ALL FROM recent_{IDS}")

    def add_up(self, rollup: Rollup, fresh: str) -> None:
        """Add the rows of the SELECT `fresh` to a rollup. Where nothing was before, `<rollup>` is all that is made."""
        name = rollup.name
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

    def save_rollups(self, rollups: Iterable[Rollup]) -> None:
        """Write rollups as the state of the run."""
        for rollup in rollups:
            self._save(rollup.name, f"FROM {rollup.name}", f"FROM young_{rollup.name}")

    def save_ids(self, sightings: str, horizon_days: int) -> None:
        """Write the ids, with those of the relation `sightings`, as the state of the run."""
        recent = f"FROM recent_{IDS} UNION ALL SELECT {', '.join(ID_TYPES)} FROM {sightings}"
        self._save(IDS, _within(horizon_days, f"FROM settled_{IDS} UNION ALL {recent}"), recent)

    def _save(self, name: str, everything: str, recent: str) -> None:
        settled, young = (state_file(self.topic, self.run, name, part, self.bucket) for part in PARTS)
        if self.base is None or self._is_large(name, recent):
            self.put(everything, settled)
            recent = f"FROM recent_{name} LIMIT 0"
        else:
            settled = self.base[name][0]
        self.put(recent, young)
        self.written[name] = {str(self.bucket): [settled, young]}

    def _is_large(self, name: str, recent: str) -> bool:
        rows, settled = self.con.execute(
            f"SELECT (SELECT count(*) FROM ({recent})), (SELECT count(*) FROM settled_{name})"
        ).fetchall()[0]
        return bool(rows * SETTLED_PER_RECENT > settled)

    def put(self, query: str, path: str) -> tuple[int, dict[str, str]]:
        """Write the rows of a query as a Parquet file of the output; how many they are, and the columns' types."""
        local = self.scratch / "out.parquet"
        rows = self.con.execute(f"COPY ({query}) TO '{local}' (FORMAT parquet)").fetchall()[0][0]
        columns = self.con.execute(f"DESCRIBE FROM {rows_of(local)}").fetchall()
        self.output.upload(local, path)
        local.unlink()
        return rows, {column[0]: column[1] for column in columns}


def _within(horizon_days: int, sightings: str) -> str:
    """The last sighting of each id within the horizon, which ends at a partition's newest arrival."""
    return f"""
        WITH sightings AS ({sightings}), ends AS (SELECT "partition", max(kafka_ts) AS newest FROM sightings GROUP BY 1)
        SELECT event_id, "partition", max("offset") AS "offset", max(kafka_ts) AS kafka_ts
        FROM sightings JOIN ends USING ("partition")
        WHERE kafka_ts >= newest - INTERVAL ({horizon_days}) DAY GROUP BY event_id, "partition" """
