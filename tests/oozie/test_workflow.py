"""The daily batch on a real Oozie over real raw events in MinIO, against plain runs of the same."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from catalogue.runs import current
from catalogue.storage import Store, open_store
from catalogue.views import VIEWS
from deployment.local_stack import LocalStack
from deployment.oozie.assembly import commands
from deployment.oozie.server import OozieServer

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "batch_layer" / "deploy_oozie.sh"
PROPERTIES = ROOT / "batch_layer" / "oozie" / "job.properties"
LIMIT = 300
BUSY = ("PREP", "RUNNING", "SUSPENDED")


@dataclass
class Platform:
    """A part of the bucket for one test: its raw events, its views, and Oozie's command lines over them."""

    stack: LocalStack
    oozie: OozieServer
    name: str
    seed: int
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.raw, self.views = f"s3a://bucket-0/{self.name}/raw", f"s3a://bucket-0/{self.name}/views"
        places = {"MASTER_DATASET": self.raw, "QUARANTINE": f"s3a://bucket-0/{self.name}/quarantine"}
        path = f"{commands()}:{os.environ['PATH']}"
        self.environ = os.environ | self.stack.environment | places | {"OOZIE_URL": self.oozie.url, "PATH": path}
        server = {"nameNode": self.oozie.name_node, "resourceManager": self.oozie.resource_manager}
        values = server | {"input": self.raw, "output": self.views}
        self.options = [f"-D{name}={value}" for name, value in values.items()]

    def python(self, script: str, *arguments: str) -> None:
        self.call(sys.executable, str(ROOT / script), *arguments)

    def call(self, *command: str, status: int = 0, **more: str) -> str:
        """What a command prints; it must end with `status`."""
        done = subprocess.run(command, env=self.environ | more, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if status == 0 else done.stderr

    def deploy(self, command: str, *options: str, status: int = 0, **more: str) -> str:
        return self.call(str(DEPLOY), command, *self.options, *options, status=status, **more).strip()

    def land(self, events: int) -> None:
        """Produce events and land them."""
        self.seed += 1
        self.python("ingestion_layer/producer.py", "--events", str(events), "--seed", str(self.seed))
        self.python("ingestion_layer/minio_ingest.py", "--once")

    def info(self, job: str) -> dict:
        with urllib.request.urlopen(f"{self.oozie.url}/v2/job/{job}?show=info&len=100", timeout=30) as answer:
            return json.load(answer)

    def finished(self, job: str) -> dict:
        """The job's info once it has ended."""
        deadline = time.monotonic() + LIMIT
        while (found := self.info(job))["status"] in BUSY:
            assert time.monotonic() < deadline, found
            time.sleep(1)
        return found

    def store(self, uri: str) -> Store:
        return open_store(uri, self.stack.settings)

    def published(self) -> bytes:
        return self.store(self.views).read("_current.json")

    def assert_as_a_plain_run(self) -> None:
        """The published views must be those of a plain full run over the same raw events."""
        plain = f"{self.views}_plain"
        self.python("batch_layer/run_batch_jobs.py", self.raw, plain, "--full")
        assert contents(self.store(self.views)) == contents(self.store(plain))


def contents(views: Store) -> dict:
    """Cut, ledger and every view's rows of the published run."""
    manifest, _ = current(views)
    assert set(manifest["views"]) == set(VIEWS)
    found = {"cut": manifest["cut"], "ledger": manifest["ledger"]}
    with tempfile.TemporaryDirectory() as folder:
        for name, view in manifest["views"].items():
            local = f"{folder}/{name}.parquet"
            views.download(f"{view['path']}/part-00000.parquet", local)
            found[name] = duckdb.sql(f"SELECT CAST(row AS VARCHAR) FROM '{local}' row ORDER BY 1").fetchall()
            assert len(found[name]) == view["rows"]
    return found


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
    platform.deploy("upload")
    said = platform.call("oozie", "job", "-config", str(PROPERTIES), *platform.options, option, "-run")
    job = said.removeprefix("job: ").strip()
    assert platform.finished(job)["status"] == "SUCCEEDED"
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
    assert "exit code [1]" in platform.call("oozie", "job", "-info", f"{job}@video", "-verbose")
    assert "KILLED" in re.search("Status.*", platform.call("oozie", "job", "-info", job))[0]
    assert f"/?job={job}&status=KILLED" in called
    assert platform.published() == before and contents(platform.store(platform.views)) == served

    raw.write(broken, whole)
    platform.call("oozie", "job", "-rerun", job, "-Doozie.wf.rerun.failnodes=true")
    deadline = time.monotonic() + LIMIT
    while platform.info(job)["status"] != "SUCCEEDED":
        assert time.monotonic() < deadline, platform.info(job)
        time.sleep(1)
    assert json.loads(platform.published())["run"] == job
    platform.assert_as_a_plain_run()


def test_a_job_that_is_killed_is_tried_again(platform):
    platform.land(2000)
    job = platform.deploy("run")
    deadline = time.monotonic() + LIMIT
    while not (pids := _processes("assessment_batch_job.py", job)):
        assert time.monotonic() < deadline, platform.info(job)
        time.sleep(0.1)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    found = platform.finished(job)
    assert found["status"] == "SUCCEEDED"
    assert {a["name"]: a["userRetryCount"] for a in found["actions"]}["assessment"] == 1
    platform.assert_as_a_plain_run()


def _processes(script: str, job: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if f"--stage={job}".encode() in words and words[0].endswith(b"python") and script.encode() in b" ".join(words):
            found.append(int(path.parent.name))
    return found
