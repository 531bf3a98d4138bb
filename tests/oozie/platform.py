"""One test's part of the bucket and of Oozie, and what is asked of both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from catalogue.at_rest.runs import current
from catalogue.views import VIEWS
from deployment.local_stack import LocalStack
from deployment.oozie.assembly import commands
from deployment.oozie.server import OozieServer
from deployment.ports import free_port
from runtime.storage.opening import open_store
from runtime.storage.store import Store

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "batch_layer" / "deploy_oozie.sh"
LIMIT = 600
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

    def rerun(self, job: str) -> None:
        """Run what failed or was stopped, and wait until the workflow has succeeded."""
        self.call("oozie", "job", "-rerun", job, "-Doozie.wf.rerun.failnodes=true")
        deadline = time.monotonic() + LIMIT
        while self.info(job)["status"] != "SUCCEEDED":
            assert time.monotonic() < deadline, self.info(job)
            time.sleep(1)

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
    assert set(manifest.views) == set(VIEWS)
    found: dict[str, object] = {"cut": manifest.cut, "ledger": manifest.ledger}
    with tempfile.TemporaryDirectory() as folder:
        for name, view in manifest.views.items():
            local = f"{folder}/{name}.parquet"
            views.download(f"{view.path}/part-00000.parquet", local)
            rows = duckdb.execute(f"SELECT CAST(row AS VARCHAR) FROM '{local}' row ORDER BY 1").fetchall()
            assert len(rows) == view.rows
            found[name] = rows
    return found


@contextmanager
def served(platform: Platform, log: Path) -> Iterator[Callable[[str], dict[str, list]]]:
    """A serving process over the platform's views; gives what it answers, once that is of the run that is named."""
    port = free_port()
    places = {"BATCH_VIEWS": platform.views, "SPEED_VIEWS": f"{platform.views}_speed", "SERVING_PORT": str(port)}
    command = [sys.executable, str(ROOT / "serving_layer" / "serving_layer.py")]

    def get(path: str) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            return json.load(answer)

    def answers(run: str) -> dict[str, list]:
        deadline = time.monotonic() + LIMIT
        while True:
            with suppress(OSError):  # until it listens
                if get("freshness")["run"] == run:
                    break
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        views = ("auth_daily_active_users", "assessment_student_submissions", "video_popularity")
        found = {view: get(f"views/{view}?limit=10000") for view in views}
        assert {answer["as_of"]["run"] for answer in found.values()} == {run}
        return {view: sorted(map(str, answer["rows"])) for view, answer in found.items()}

    with (
        open(log, "wb") as out,
        subprocess.Popen(command, env=platform.environ | places, stdout=out, stderr=out) as process,
    ):
        try:
            yield answers
        finally:
            process.terminate()


def processes(script: str, job: str) -> list[int]:
    """The Python processes of a job of a run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if f"--stage={job}".encode() in words and words[0].endswith(b"python") and script.encode() in b" ".join(words):
            found.append(int(path.parent.name))
    return found
