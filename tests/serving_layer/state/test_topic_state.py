"""A topic's state that is larger than its memory."""

from __future__ import annotations

import tempfile
from dataclasses import replace

import duckdb
import pytest

from catalogue.at_rest.deltas import Delta
from catalogue.at_rest.runs import NOTHING, RunManifest, ViewFiles, state_file, state_folder, view_file
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.views import VIEWS
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.state.topic_state import MOST_TOUCHED, TopicState

TOPIC, VIEW, ROWS = "video_topic", "video_total_watch_time", 600_000
WATCHES = """SELECT DATE '2026-03-01' + (i % 7)::INTEGER AS date, 'SV' || (i % 60000) AS user_id,
    'VID' || (i % 997) AS video_id, 'COURSE' || (i % 101) AS course_id, 1::BIGINT AS events, 1::BIGINT AS sessions,
    (i % 600)::BIGINT AS seconds, (i % 600)::BIGINT AS shortest, (i % 600)::BIGINT AS longest FROM range({}) t(i)"""


def written(con: duckdb.DuckDBPyConnection, folder, path: str, sql: str) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet)")


def published(con: duckdb.DuckDBPyConnection, folder) -> RunManifest:
    """A run in `folder`, of the rows of `video_watches`."""
    for part, days in (("settled", "<"), ("recent", ">=")):
        rows = f"FROM video_watches WHERE date {days} DATE '2026-03-05'"
        written(con, folder, state_file(TOPIC, "r1", "video_watches", part), rows)
        written(con, folder, state_file(TOPIC, "r1", "ids", part), "SELECT TIMESTAMP '2026-03-08' AS kafka_ts")
    (folder / state_folder(TOPIC, "r1") / "inputs.json").write_text("{}")
    views = {}
    for view in (v for v in VIEWS.values() if v.topic == TOPIC):
        views[view.name] = ViewFiles(f"{view.name}/run=r1", 0)
        query = f"SELECT * FROM ({view.sql}) ORDER BY {', '.join(view.key)}"
        written(con, folder, view_file(views[view.name].path), query)
    return RunManifest("r1", "2026-03-08T00:00:00Z", {TOPIC: {"0": 1}}, {}, views, {TOPIC: "r1"})


def test_it_spills_and_its_answers_stay_right(tmp_path):
    con = connect()
    con.execute(f"CREATE TABLE video_watches AS {WATCHES.format(ROWS)}")
    current = published(con, tmp_path)
    written(
        con, tmp_path, "delta.parquet", f"SELECT 'video_watches' AS rollup, * FROM ({WATCHES.format(MOST_TOUCHED + 1)})"
    )
    expected = con.execute(f"SELECT count(*), sum(seconds) + (SELECT sum(seconds) FROM '{tmp_path}/delta.parquet') "
                           "FROM video_watches").fetchall()[0]  # fmt: skip
    settings = replace(Settings.load({}), serving_memory="160MB")
    made = TopicState(TOPIC, current, open_store(str(tmp_path)), settings)
    try:
        ranges = {t: {"0": [1, 2] if t == TOPIC else [0, 0]} for t in TOPICS}
        entry = {"landed": 1, "counted": 1, "duplicate": 0, "invalid": 0}
        delta = Delta(
            number=1,
            last=1,
            created_at="2026-03-08T00:00:00.000Z",
            ranges=ranges,
            ledger={TOPIC: {"0": entry}},
            origin={},
        )
        made.apply(delta, tmp_path / "delta.parquet")
        made.con.execute("SET max_temp_directory_size = '1KB'")
        with pytest.raises(duckdb.Error, match="(?i)memory|temp"):
            made.refresh(VIEW)
        made.con.execute("SET max_temp_directory_size = '4GB'")
        made.refresh(VIEW)
        rows, seconds = made.con.execute(f"SELECT count(*), sum(total_watch_seconds) FROM view_{VIEW}").fetchall()[0]
        groups = con.execute("SELECT count(*) FROM (SELECT DISTINCT user_id, video_id, course_id FROM video_watches)")
        assert (rows, seconds) == (groups.fetchall()[0][0], expected[1])
        limit = made.con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
        assert limit == "53.0 MiB", "a topic has its part of the memory"
    finally:
        made.close()


def test_a_small_topic_has_enough_to_answer(tmp_path):
    settings = replace(Settings.load({}), serving_memory="300MB")
    made = TopicState("profile_topic", NOTHING, open_store(str(tmp_path)), settings)
    try:
        limit = made.con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
        assert limit == "48.0 MiB"
    finally:
        made.close()


@pytest.mark.parametrize("gone", [state_file(TOPIC, "r1", "video_watches", "recent"), f"{VIEW}/run=r1"])
def test_one_that_cannot_be_loaded_leaves_nothing(tmp_path, monkeypatch, gone):
    """Its run may be dropped meanwhile, as by an erasure: what it had of it named people."""
    con = connect()
    con.execute(f"CREATE TABLE video_watches AS {WATCHES.format(1000)}")
    batch, current = tmp_path / "batch", published(con, tmp_path / "batch")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    TopicState(TOPIC, current, open_store(str(batch)), Settings.load({})).close()
    (path,) = [path for path in batch.rglob("*.parquet") if gone in str(path)]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        TopicState(TOPIC, current, open_store(str(batch)), Settings.load({}))
    assert list(scratch.iterdir()) == []
