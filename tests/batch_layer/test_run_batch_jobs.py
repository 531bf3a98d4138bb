"""The batch layer, on real Spark where a run goes by it, from a raw folder that another tool wrote."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from batch_layer import run_batch_jobs
from batch_layer.config import SMALL_INPUT
from batch_layer.run_batch_jobs import main
from catalogue.views import VIEWS

WATCHED = {
    "event_category": "VIDEO",
    "event_type": "VIDEO_WATCHED",
    "user_id": "SV001",
    "timestamp": "2026-03-01 10:00:00",
    "video_id": "VID001",
    "course_id": "COURSE001",
}


@pytest.fixture
def on_spark(monkeypatch):
    """However little there is to read, where it is read from the beginning."""
    monkeypatch.setattr("batch_layer.execution.is_small", lambda waiting, settings: all(p.known for p in waiting))


def line(offset: int, event_id: int, seconds: object, arrived: str = "2026-03-01T11:00:00.000Z") -> str:
    value = {**WATCHED, "event_id": f"00000000-0000-4000-8000-{event_id:012}", "watch_duration_seconds": seconds}
    envelope = {"topic": "video_topic", "partition": 0, "offset": offset, "kafka_timestamp": arrived, "value": value}
    return json.dumps(envelope)


@pytest.fixture
def folder(tmp_path):
    day = tmp_path / "raw" / "topic=video_topic" / "date=2026-03-01"
    day.mkdir(parents=True)
    first = [line(0, 1, 60), line(1, 2, 31), line(2, 3, -1), "cut sho"]
    second = [line(1, 2, 31), line(3, 1, 60), line(4, 1, 60, "2026-03-09T11:00:00.000Z")]
    (day / "a.json").write_text("\n".join(first))
    with gzip.open(day / "b.json.gz", "wt") as file:
        file.write("\n".join(second))
    return tmp_path


@pytest.mark.usefixtures("on_spark")
def test_views_ledger_and_cut(folder, capsys):
    assert main([str(folder / "raw"), str(folder / "out")]) == 0
    current = json.loads((folder / "out" / "_current.json").read_text())
    assert set(current["views"]) == set(VIEWS)
    assert current["cut"]["video_topic"] == {"0": 5}
    ledger = {"landed": 5, "counted": 3, "duplicate": 1, "invalid": 1, "erased": 0}
    assert current["ledger"]["video_topic"] == {"0": ledger}
    assert 'msg="unreadable lines"' in (err := capsys.readouterr().err) and "topic=video_topic lines=1 kept=" in err
    path = folder / "out" / current["views"]["video_total_watch_time"]["path"]
    rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}/*.parquet', hive_partitioning = false)").fetchall()
    assert rows == [("SV001", "VID001", "COURSE001", 151, 0, 151 / 3, 60, 31, 151 / 60, 151 / 3600)]

    before = (folder / "out" / "_current.json").read_bytes()
    assert main([str(folder / "raw"), str(folder / "out")]) == 0
    assert (folder / "out" / "_current.json").read_bytes() == before, "the same cut changes nothing"

    run = current["run"]
    assert main(["video", str(folder / "raw"), str(folder / "out"), "--full"]) == 0
    current = json.loads((folder / "out" / "_current.json").read_text())
    assert current["views"]["auth_daily_active_users"]["path"] == f"auth_daily_active_users/run={run}"
    assert (
        current["views"]["video_popularity"]["path"]
        == f"video_popularity/run={current['run']}"
        != f"video_popularity/run={run}"
    )
    assert json.loads((folder / "out" / "_runs" / f"{run}.json").read_text())["run"] == run


def test_staged_jobs_become_visible_together(folder, capsys):
    paths = [str(folder / "raw"), str(folder / "out")]
    for job in ("auth", "assessment", "video", "course", "profile_notification"):
        assert main([job, *paths, "--stage", "nightly"]) == 0
        assert not (folder / "out" / "_current.json").exists()
    assert main([*paths, "--publish", "nightly"]) == 0
    current = json.loads((folder / "out" / "_current.json").read_text())
    assert {view["path"] for view in current["views"].values()} == {f"{name}/run=nightly" for name in VIEWS}
    assert main(["auth", *paths, "--stage", "nightly"]) == 1
    assert "RUN to stage must not be published already; 'nightly' is" in capsys.readouterr().err


def test_what_nobody_staged_is_not_published(folder, capsys):
    paths = [str(folder / "raw"), str(folder / "out")]
    assert main([*paths, "--publish", "nightly"]) == 1
    assert "RUN to publish must have been staged; got 'nightly'" in capsys.readouterr().err
    assert main(paths) == 0
    assert main([*paths, "--stage", "idle"]) == main([*paths, "--publish", "idle"]) == 0
    assert "nothing new" in capsys.readouterr().out and not list((folder / "out").glob("_staged/*/*"))


def test_bad_lines_in_two_topics_of_a_small_increment(folder):
    """Both topics are looked through at once, by threads of one process."""
    paths = [str(folder / "raw"), str(folder / "out")]
    assert main(paths) == 0
    for topic in ("video_topic", "course_topic"):
        day = folder / "raw" / f"topic={topic}" / "date=2026-03-11"
        day.mkdir(parents=True)
        good = line(5, 100, 1, "2026-03-11T11:00:00.000Z").replace("video_topic", topic)
        (day / "bad.json").write_text("\n".join([good[:-9]] * 500 + [good]))
    assert main(paths) == 0
    for topic in ("video_topic", "course_topic"):
        kept = sorted((folder / "out").glob(f"_unreadable/topic={topic}/run=*.json"))[-1]
        assert [json.loads(text)["reason"] for text in kept.read_text().splitlines()] == ["not_json"] * 500


def test_a_day_goes_on_top_of_the_days_before(folder, capsys):
    paths = [str(folder / "raw"), str(folder / "out")]
    assert main(paths) == 0
    day = folder / "raw" / "topic=video_topic" / "date=2026-03-10"
    day.mkdir()
    arrived = "2026-03-10T11:00:00.000Z"
    (day / "c.json").write_text("\n".join([line(5, 1, 60, arrived), line(6, 9, 7, arrived)]))
    capsys.readouterr()
    assert main(paths) == 0
    assert "video_topic: 2 events on top of run" in capsys.readouterr().out
    (day / "d.json").write_text(line(2, 11, 1, arrived))
    assert main(paths) == 0, "a file that reaches below the cut is recomputed from all raw events"
    assert "video_topic: 7 events from all raw events" in capsys.readouterr().out


def test_an_interrupted_run_publishes_nothing(folder):
    much = folder / "raw" / "topic=video_topic" / "date=2026-03-01" / "blank.json"
    much.touch()
    os.truncate(much, SMALL_INPUT + 1)
    command = [sys.executable, run_batch_jobs.__file__, str(folder / "raw"), str(folder / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 180
        while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text():  # Spark's JVM
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "run_batch_jobs: interrupted" in said and "Traceback" not in said
    assert not (folder / "out" / "_current.json").exists()


@pytest.mark.usefixtures("on_spark")
def test_a_truncated_file_publishes_nothing(folder, capsys):
    broken = folder / "raw" / "topic=video_topic" / "date=2026-03-01" / "b.json.gz"
    broken.write_bytes(broken.read_bytes()[:40])
    assert main(["video", str(folder / "raw"), str(folder / "out")]) == 1
    assert "b.json.gz" in capsys.readouterr().err
    assert not (folder / "out" / "_current.json").exists()


@pytest.mark.parametrize("arguments", [["nonsense", "in", "out"], ["in"], ["missing", "out"]])
def test_bad_arguments(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) != 0
    error = capsys.readouterr().err
    assert error.startswith("run_batch_jobs: ") and error.count("\n") == 1
