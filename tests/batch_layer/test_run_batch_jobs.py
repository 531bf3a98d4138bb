"""The batch layer on real Spark, from a raw folder that another tool wrote."""

import gzip
import json

import duckdb
import pytest

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


def test_views_ledger_and_cut(folder, capsys):
    assert main([str(folder / "raw"), str(folder / "out")]) == 0
    current = json.loads((folder / "out" / "_current.json").read_text())
    assert set(current["views"]) == set(VIEWS)
    assert current["cut"]["video_topic"] == {"0": 5}
    assert current["ledger"]["video_topic"] == {"0": {"landed": 5, "counted": 3, "duplicate": 1, "invalid": 1}}
    assert "1 unreadable lines" in capsys.readouterr().err
    path = folder / "out" / current["views"]["video_total_watch_time"]["path"]
    rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}/*.parquet', hive_partitioning = false)").fetchall()
    assert rows == [("SV001", "VID001", "COURSE001", 151, 0, 151 / 3, 60, 31, 151 / 60, 151 / 3600)]

    run = current["views"]["auth_daily_active_users"]["path"]
    assert main(["video", str(folder / "raw"), str(folder / "out")]) == 0
    current = json.loads((folder / "out" / "_current.json").read_text())
    assert current["views"]["auth_daily_active_users"]["path"] == run
    assert current["views"]["video_popularity"]["path"] != run.replace("auth_daily_active_users", "video_popularity")


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
