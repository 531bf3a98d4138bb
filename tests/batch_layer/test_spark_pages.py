"""Spark's own pages while a batch job runs, and the event log that its history server shows afterwards."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx
import pytest

from batch_layer.run_batch_jobs import main
from deployment.ports import free_port
from runtime.progress import shown_by
from runtime.settings import Settings
from runtime.spark.session import pages
from tests.oracle.histories import history, write_raw

# What Spark may take for its first answer, for which it loads most of a web server, on a machine that does much else.
FIRST_SECONDS = 60


def jobs_shown(address: str, thread: threading.Thread) -> list[dict]:
    """What Spark's REST API says of its jobs, as soon as it knows one."""
    while thread.is_alive():
        try:
            for application in httpx.get(f"{address}/applications", timeout=FIRST_SECONDS).json():
                jobs = httpx.get(f"{address}/applications/{application['id']}/jobs", timeout=FIRST_SECONDS)
                found: list[dict] = jobs.json()
                if found:
                    return found
        except (httpx.HTTPError, ValueError):  # not up yet
            pass
        time.sleep(0.02)
    return []


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    write_raw(tmp_path / "raw", history(3, 900))
    monkeypatch.setattr("batch_layer.execution.SMALL_INPUT", 0)
    return tmp_path / "raw"


def test_a_running_job_is_shown_in_words(raw, tmp_path, monkeypatch):
    port, log = free_port(), tmp_path / "log"
    monkeypatch.setenv("SPARK_UI_PORT", str(port))
    monkeypatch.setenv("SPARK_EVENT_LOG", str(log))
    status: list[int] = []
    steps: list[tuple[str, str]] = []
    seen = threading.Event()

    def show(what: str, done: str) -> None:
        steps.append((what, done))
        if done == "100 %":
            seen.wait(FIRST_SECONDS)  # the pages end with the run, which is shorter than a first answer may take

    def run() -> None:
        with shown_by(show):
            status.append(main(["video", str(raw), str(tmp_path / "out")]))

    thread = threading.Thread(target=run)
    thread.start()
    jobs = jobs_shown(f"http://127.0.0.1:{port}/api/v1", thread)
    seen.set()
    thread.join()
    published = json.loads((tmp_path / "out" / "_current.json").read_bytes())["run"]
    assert status == [0] and jobs
    assert jobs[0]["jobGroup"] == published
    assert jobs[0]["description"] == f"batch run {published}: rollups and views of video_topic from {raw}"
    assert [file for file in log.rglob("events_*") if file.stat().st_size], "the history server's"
    shares = [done for what, done in steps if what == "computing the views of 1 topics"]
    assert {"0 %", "100 %"} <= set(shares) and shares[-1] == "100 %", "asked of Spark while it ran"


def test_what_is_not_wanted_is_not_there(tmp_path):
    assert pages(Settings.load({"SPARK_UI_PORT": ""})) == {"spark.ui.enabled": "false"}
    found = pages(Settings.load({"SPARK_EVENT_LOG": str(tmp_path / "log")}))
    assert (found["spark.ui.port"], found["spark.eventLog.dir"]) == ("4040", (tmp_path / "log").as_uri())
    assert pages(Settings.load({"SPARK_EVENT_LOG": "s3a://bucket/log"}))["spark.eventLog.dir"] == "s3a://bucket/log"
