"""DuckDB alone: parse raw files and write the views, without validation, deduplication, state or a cluster.

`python -m tests.benchmarks.floor RAW OUT`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from catalogue.events import TOPICS
from catalogue.events.schema import Kind
from catalogue.sql.dialect import connect
from catalogue.sql.typed_events import fields_of
from catalogue.views import ROLLUPS, VIEWS

TYPES = {Kind.INTEGER: "BIGINT", Kind.SCORE: "DOUBLE", Kind.NAMES: "VARCHAR[]"}


def main(raw: str, out: str) -> None:
    """Compute every view of the raw folder, with typed fields read straight from JSON."""
    Path(out).mkdir(parents=True, exist_ok=True)
    con = connect(threads=os.cpu_count() or 1, memory_limit="6GB")
    for topic in TOPICS.values():
        fields = fields_of(topic)
        value = ", ".join(f"{name} {TYPES.get(field.kind, 'VARCHAR')}" for name, field in fields.items())
        score = ", (score * 100)::BIGINT AS score" if "score" in fields else ""
        left_out = "(timestamp, score)" if score else "(timestamp)"
        con.execute(f"""CREATE TABLE events AS
            WITH parsed AS (SELECT unnest(value) FROM read_json('{raw}/topic={topic.name}/*/*.json',
                format = 'newline_delimited', columns = {{topic: 'VARCHAR', value: 'STRUCT({value})'}}))
            SELECT * EXCLUDE {left_out}{score},
                timestamp::TIMESTAMP AS ts, ts::DATE AS date, hour(ts) AS hour FROM parsed""")
        for rollup in (r for r in ROLLUPS.values() if r.topic == topic.name):
            con.execute(f"CREATE TABLE {rollup.name} AS {rollup.roll_up('events')}")
        con.execute("DROP TABLE events")
        for view in (v for v in VIEWS.values() if v.topic == topic.name):
            con.execute(f"COPY ({view.sql}) TO '{out}/{view.name}.parquet'")


if __name__ == "__main__":
    main(*sys.argv[1:])
