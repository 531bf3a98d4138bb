"""A slice of a topic's raw files read as typed events: those between the last cut and this one."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from batch_layer.config import FILES_PER_READ, SLICE_BYTES
from batch_layer.raw_table import each_once, fetch, load, mark, unreadable_lines
from batch_layer.report import Report
from batch_layer.topic_plan import TopicPlan, in_groups
from runtime.storage.store import Entry


def read_slice(con: duckdb.DuckDBPyConnection, plan: TopicPlan, number: int, files: tuple[Entry, ...]) -> Report:
    """Make table `events` of files; what is to be told of them. `again` where they reach below the known cut in a way
    that can't be told apart. Raises UnreadableFile.
    """
    task, cut, head = plan.task, plan.cut, plan.source.head
    report = Report(task.topic)
    folder = Path(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    unreadable = []
    for group in in_groups(files, SLICE_BYTES, FILES_PER_READ) if files else [()]:
        local = fetch(task.raw, group, folder)
        if load(con, task.topic, local):
            unreadable += unreadable_lines(con, task.topic, local)
        for path in local:
            path.unlink()
    report.unreadable_lines = len(unreadable)
    each_once(con)
    mark(con, task.topic, task.erased)
    if head is not None:
        # A cut may stand inside of a file: its events below the last one are counted, those beyond this one wait.
        _keep_between(con, cut, head)
    elif _reaches_below(con, cut):
        report.again = "raw files hold events below the cut that were not there before"
        return report
    if unreadable:
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in unreadable).encode()
        task.output.write(unreadable_file(task.topic, task.run, number), data)
    return report


def unreadable_file(topic: str, run: str, number: int = 0) -> str:
    """Where the lines of a slice stand that are no raw events."""
    return f"_unreadable/topic={topic}/run={run}{f'-{number:05}' if number else ''}.json"


def _keep_between(con: duckdb.DuckDBPyConnection, cut: dict[str, int], head: dict[str, int]) -> None:
    for partition, first in cut.items():
        con.execute(f'DELETE FROM events WHERE "partition" = {partition} AND "offset" < {first}')
    for partition, end in head.items():
        con.execute(f'DELETE FROM events WHERE "partition" = {partition} AND "offset" >= {end}')


def _reaches_below(con: duckdb.DuckDBPyConnection, cut: dict[str, int]) -> bool:
    lowest = con.execute('SELECT "partition", min("offset") FROM events GROUP BY ALL').fetchall()
    return any(offset < cut.get(str(partition), 0) for partition, offset in lowest)
