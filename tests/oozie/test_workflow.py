"""The daily batch on a real Oozie over real raw events in MinIO, against plain runs of the same."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import re
import signal
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from catalogue.at_rest.raw_files import RawName
from tests.oozie.platform import BUSY, LIMIT, Platform, contents, processes, served

PROPERTIES = Path(__file__).resolve().parents[2] / "batch_layer" / "oozie" / "job.properties"


@pytest.fixture
def platform(stack, oozie, request) -> Platform:
    return Platform(stack, oozie, request.node.name, zlib.crc32(request.node.name.encode()) % 10**6)


@pytest.fixture
def notified():
    """Addresses that were called, and the URL to give to Oozie."""
    called: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield (
        called,
        f"-Doozie.wf.workflow.notification.url=http://localhost:{server.server_port}/?job=$jobId&status=$status",
    )
    server.shutdown()


def test_a_run_publishes_what_a_plain_run_does(platform, notified):
    called, option = notified
    platform.land(3000)
    rejected = platform.store(platform.stack.settings.quarantine)
    today = dt.datetime.now(dt.UTC).date()
    old, young = (RawName("notification_topic", day, 0, 1, 1, 1).path for day in ("2020-01-01", f"{today}"))
    for path in (old, young):
        rejected.write(path, b"{}\n")
    platform.deploy("upload")
    said = platform.call("oozie", "job", "-config", str(PROPERTIES), *platform.options, option, "-run")
    job = said.removeprefix("job: ").strip()
    found = platform.finished(job)
    assert found["status"] == "SUCCEEDED"
    assert {a["name"]: a["status"] for a in found["actions"]}["retention"] == "OK"
    left = {entry.path for entry in rejected.list("")}
    assert young in left and old not in left, "what is older than its topic is kept has gone"
    platform.assert_as_a_plain_run()
    assert json.loads(platform.published())["run"] == job
    assert f"/?job={job}&status=SUCCEEDED" in called
    assert f"JOB[{job}]" in platform.call("oozie", "job", "-log", job)


def test_a_coordinator_catches_up_and_is_replaced(platform):
    platform.land(3000)
    now = dt.datetime.now(dt.UTC)
    past = {
        "START": f"{now - dt.timedelta(days=3):%Y-%m-%dT01:00Z}",
        "END": f"{now - dt.timedelta(days=2):%Y-%m-%dT01:30Z}",
    }
    missed = platform.deploy("start", **past)
    found = platform.finished(missed)
    assert [a["status"] for a in found["actions"]] == ["SKIPPED", "SUCCEEDED"], "one run catches up on both days"
    platform.assert_as_a_plain_run()

    platform.land(2000)
    daily = platform.deploy("start", START=f"{now + dt.timedelta(days=1):%Y-%m-%dT01:00Z}")
    assert f"{daily} is: use replace" in platform.deploy("start", status=1)
    platform.call("oozie", "job", "-suspend", daily)
    assert platform.info(daily)["status"] == "PREPSUSPENDED"
    assert platform.deploy("ensure") == f"the daily coordinator is there: {daily}"
    assert f"{daily} is: use replace" in platform.deploy("start", status=1)
    said = platform.deploy("replace", "-DappPath=file:///dev/null/app", status=1)
    assert "appPath must be a folder that can be made" in said
    assert platform.info(daily)["status"] == "PREPSUSPENDED", "nothing is killed before the new files are there"
    both = platform.deploy("replace", "-DcatchUp=FIFO", **past)
    assert platform.info(daily)["status"] == "KILLED"
    assert [a["status"] for a in platform.finished(both)["actions"]] == ["SUCCEEDED", "SUCCEEDED"]
    runs = [platform.info(a["externalId"]) for a in platform.info(both)["actions"]]
    ended, started = (time.strptime(t, "%a, %d %b %Y %H:%M:%S %Z") for t in (runs[0]["endTime"], runs[1]["startTime"]))
    assert ended <= started, "runs never overlap"
    assert json.loads(platform.published())["run"] == runs[0]["id"], "the second found nothing new"
    platform.assert_as_a_plain_run()


def test_a_failing_job_publishes_nothing_and_a_rerun_completes(platform, notified):
    called, option = notified
    platform.land(3000)
    platform.python("batch_layer/run_batch_jobs.py", platform.raw, platform.views)
    before, served = platform.published(), contents(platform.store(platform.views))
    raw = platform.store(platform.raw)
    earlier = {e.path for e in raw.list("topic=video_topic/")}
    platform.land(2000)
    broken = next(e.path for e in raw.list("topic=video_topic/") if e.path not in earlier)
    whole = raw.read(broken)
    raw.write(broken, whole[:40])

    job = platform.deploy("run", option)
    found = platform.finished(job)
    assert found["status"] == "KILLED"
    ended = {a["name"]: a for a in found["actions"]}
    assert (ended["video"]["status"], ended["video"]["errorCode"]) == ("ERROR", "1")
    assert ended["video"]["userRetryCount"] == 1, "it was tried again"
    assert ended["failed"]["errorMessage"].startswith("job 'video' failed, nothing was published: [1] ")
    assert "retention" not in ended
    assert "exit code [1]" in platform.call("oozie", "job", "-info", f"{job}@video", "-verbose")
    assert "KILLED" in re.search("Status.*", platform.call("oozie", "job", "-info", job))[0]
    assert f"/?job={job}&status=KILLED" in called
    assert platform.published() == before and contents(platform.store(platform.views)) == served

    raw.write(broken, whole)
    platform.rerun(job)
    assert json.loads(platform.published())["run"] == job
    platform.assert_as_a_plain_run()


def test_a_job_that_is_killed_is_tried_again(platform):
    platform.land(2000)
    job = platform.deploy("run", "-Dretention=no")
    deadline = time.monotonic() + LIMIT
    while not (pids := processes("assessment_batch_job.py", job)):
        assert time.monotonic() < deadline, platform.info(job)
        time.sleep(0.1)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    found = platform.finished(job)
    assert found["status"] == "SUCCEEDED"
    retries = {a["name"]: a["userRetryCount"] for a in found["actions"]}
    assert retries["assessment"] == 1 and "retention" not in retries
    platform.assert_as_a_plain_run()


def test_a_job_that_is_killed_each_time_leaves_the_old_run_served(platform, tmp_path):
    platform.land(3000)
    platform.python("batch_layer/run_batch_jobs.py", platform.raw, platform.views)
    first = json.loads(platform.published())["run"]
    with served(platform, tmp_path / "serving.log") as answers:
        before = answers(first)
        assert len(before) == 3 and all(before.values())
        platform.land(2000)
        job = platform.deploy("run")
        deadline = time.monotonic() + LIMIT
        while platform.info(job)["status"] in BUSY:
            assert time.monotonic() < deadline, platform.info(job)
            for pid in processes("assessment_batch_job.py", job):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert answers(first) == before, "the old run is served all the while"
            time.sleep(0.2)
        found = platform.info(job)
        ended = {a["name"]: a for a in found["actions"]}
        assert found["status"] == "KILLED" and ended["assessment"]["userRetryCount"] == 1
        assert ended["failed"]["errorMessage"].startswith("job 'assessment' failed, nothing was published: ")
        assert json.loads(platform.published())["run"] == first and answers(first) == before

        platform.rerun(job)
        assert answers(job) != before, "serving follows"
    platform.assert_as_a_plain_run()
