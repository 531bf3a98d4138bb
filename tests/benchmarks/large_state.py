"""A published run over any number of events, made directly: random rows of every rollup, and the views of them."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from batch_layer.publication import publish
from batch_layer.topic_task import TopicResult
from catalogue.at_rest.runs import STATE_FORM, ViewFiles, state_file, state_folder, view_file
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.rollups import Rollup
from runtime.storage.local import LocalStore

RUN = "made"
MEMORY = "2GB"
STUDENTS, COURSES, DAYS = 50_000, 2_000, 90
# How many rows a rollup has for each event of its topic: about what a month of generated events gives.
ROWS_PER_EVENT = 0.6
_PREFIXES = {"user_id": ("SV", STUDENTS), "student_id": ("SV", STUDENTS), "course_id": ("COURSE", COURSES)}
_FIXED = {"date": f"DATE '2026-01-01' + (random() * {DAYS})::INTEGER", "hour": "(random() * 23)::BIGINT"}


def make(events: int, folder: Path) -> None:
    """Write the run below `folder`."""
    output = LocalStore(str(folder))
    results = [_topic(output, folder, topic, round(events * declared.share)) for topic, declared in TOPICS.items()]
    publish(output, RUN, results)


def _topic(output: LocalStore, folder: Path, topic: str, events: int) -> TopicResult:
    result = TopicResult(topic, RUN, cut={"0": events}, events=events)
    result.ledger = {"0": {"landed": events, "counted": events, "duplicate": 0, "invalid": 0}}
    states: dict[str, dict[str, list[str]]] = {}
    (folder / state_folder(topic, RUN)).mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch, closing(connect(f"{scratch}/db", memory_limit=MEMORY)) as con:
        for rollup in (r for r in ROLLUPS.values() if r.topic == topic):
            rows = round(events * ROWS_PER_EVENT)
            con.execute(f"CREATE TABLE {rollup.name} AS {rollup.merge(f'({_random(rollup, rows)})')}")
            paths = [state_file(topic, RUN, rollup.name, part) for part in ("settled", "recent")]
            for path, limit in zip(paths, ("", " LIMIT 0"), strict=True):
                con.execute(f"COPY (FROM {rollup.name}{limit}) TO '{folder / path}' (FORMAT parquet)")
            states[rollup.name] = {"0": paths}
        ids = [state_file(topic, RUN, "ids", part) for part in ("settled", "recent")]
        for path in ids:
            nothing = (
                'uuid() AS event_id, 0::BIGINT AS "partition", 0::BIGINT AS "offset", now()::TIMESTAMP AS kafka_ts'
            )
            con.execute(f"COPY (SELECT {nothing} LIMIT 0) TO '{folder / path}' (FORMAT parquet)")
        for view in (v for v in VIEWS.values() if v.topic == topic):
            place = f"{view.name}/run={RUN}"
            (folder / place).mkdir(parents=True)
            query = f"SELECT * FROM ({view.sql}) ORDER BY {', '.join(view.key)}"
            count = con.execute(f"COPY ({query}) TO '{folder / view_file(place)}' (FORMAT parquet)").fetchall()[0][0]
            columns = {c[0]: c[1] for c in con.execute(f"DESCRIBE {view.sql}").fetchall()}
            result.views[view.name] = ViewFiles(place, count, columns)
    index = {"form": STATE_FORM, "states": {**states, "ids": {"0": ids}}}
    output.write(f"{state_folder(topic, RUN)}/inputs.json", _json(index))
    return result


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()


def _random(rollup: Rollup, rows: int) -> str:
    """SQL of so many random rows of a rollup."""
    columns = []
    for name, kind in rollup.types.items():
        prefix, most = _PREFIXES.get(name, (name[:3].upper(), 300))
        if name in _FIXED:
            value = _FIXED[name]
        elif name.endswith("_id"):
            value = f"'{prefix}' || lpad((1 + random() * {most - 1})::INTEGER::VARCHAR, 3, '0')"
        elif kind == "TIMESTAMP":
            value = f"TIMESTAMP '2026-01-01' + to_seconds((random() * {DAYS * 86_400})::INTEGER)"
        elif kind == "BIGINT":
            value = "(1 + random() * 9)::BIGINT"
        else:
            value = f"'{name}-' || (random() * 4)::INTEGER"
        columns.append(f"{value} AS {name}")
    return f"SELECT {', '.join(columns)} FROM range({rows})"
