"""The whole platform under a real Prometheus. These tests take minutes: they run where they are named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalogue.documents import example
from catalogue.events import EVENT_TYPES, TOPICS
from deployment.local_stack import MONITORING, ROOT, LocalStack
from deployment.packages import need
from deployment.ports import free_ports
from tests.serving_layer.projection.conftest import Postgres

HERE = Path(__file__).parent
LIMIT = 400
SCRAPE_SECONDS = 2
LONG = {
    "ingestion": ["ingestion_layer/minio_ingest.py"],
    "speed": ["speed_layer/stream_layer.py"],
    "serving": ["serving_layer/serving_layer.py"],
    "producer": ["ingestion_layer/producer.py", "--rate", "100", "--duplicates", "0.03", "--invalid", "0.03"],
    "collector": ["ingestion_layer/collector.py"],
    "projection": ["-m", "deployment.command", "project"],
}
# What no mapping knows.
UNKNOWN = {
    "actor": {"mbox": "mailto:sv001@example.org"},
    "verb": {"id": "https://example.org/verbs/pondered"},
    "object": {"id": "https://example.org/ponds/1"},
}


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is named, as `make test-monitoring` does."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True


class Watched:
    """Prometheus and a Pushgateway over the stack and every process of the platform, all on free ports."""

    def __init__(self, stack: LocalStack, postgres: Postgres, folder: Path):
        self.stack, self.folder = stack, folder
        self.ports = free_ports(("prometheus", "pushgateway", "api", "collecting", *LONG))
        self.running: list[subprocess.Popen] = []
        self.api, self.collector = (f"http://{self._at(name)}" for name in ("api", "collecting"))
        self.environ = {
            **os.environ,
            **stack.environment,
            "METRICS_HOST": "127.0.0.1",
            "SERVING_PORT": str(self.ports["api"]),
            "INGEST_MIN_EVENTS": "1000",
            "INGEST_MAX_DELAY_SECONDS": "2",
            "BATCH_METRICS": f"http://127.0.0.1:{self.ports['pushgateway']}",
            "COLLECTOR_PORT": str(self.ports["collecting"]),
            "COLLECTOR_DATA": str(folder / "collector"),
            "PROJECTION_DATABASE": postgres.address(database=postgres.fresh()),
        }

    def up(self) -> None:
        """Start everything; a batch run that fails and one that doesn't; then let Prometheus scrape a little."""
        self._start(
            "pushgateway",
            [
                need("prometheus-pushgateway", "prometheus-pushgateway"),
                f"--web.listen-address={self._at('pushgateway')}",
            ],
        )
        self._start("prometheus", self._prometheus())
        for name, command in LONG.items():
            environ = {**self.environ, "METRICS_PORT": str(self.ports[name])}
            self._start(name, [sys.executable, *command], environ)
        self.collect()
        self.until("sum(ingestion_commits_total) > 1")
        assert self.batch("s3a://bucket-0/nothing", self.stack.settings.batch_views) == 1
        assert self.batch(self.stack.settings.master_dataset, self.stack.settings.batch_views) == 0
        self.until("count(serving_cut_age_seconds) and sum(serving_delta_apply_seconds_count) > 5")
        for path in ("/views/auth_daily_active_users", "/views/none", "/freshness", "/realtime/active_users"):
            for _ in range(3):
                self.ask_api(path)
        time.sleep(6 * SCRAPE_SECONDS)

    def collect(self) -> None:
        """Send the collector two events, one of them twice, a broken one, and a statement that no mapping knows."""
        first = example(TOPICS["auth_topic"], EVENT_TYPES["LOGIN"])
        broken = {name: value for name, value in first.items() if name != "user_id"}
        self._send("/events", [first, first, broken, first | {"event_id": str(uuid.uuid4())}])
        self._send("/xapi/statements", [UNKNOWN])

    def _send(self, path: str, body: object) -> None:
        headers = {"Content-Type": "application/json", "X-Experience-API-Version": "1.0.3"}
        request = urllib.request.Request(self.collector + path, json.dumps(body).encode(), headers)

        def taken() -> bool:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status == 200

        self._wait(taken, f"200 of {path}")

    def down(self) -> None:
        """Stop what was started, the last first."""
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def batch(self, source: str, target: str) -> int:
        """Exit status of a batch run."""
        command = [sys.executable, str(ROOT / "batch_layer" / "run_batch_jobs.py"), source, target]
        return subprocess.run(command, env=self.environ, capture_output=True, timeout=LIMIT).returncode

    def ask_api(self, path: str) -> int:
        """HTTP status of the query API."""
        try:
            with urllib.request.urlopen(self.api + path, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def ask(self, path: str, **parameters: str) -> Any:
        """`data` of Prometheus' own API."""
        address = f"http://{self._at('prometheus')}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.loads(answer.read())["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Samples of an expression now. HTTPError where it doesn't parse."""
        return self.ask("query", query=expression.replace("$__rate_interval", f"{5 * SCRAPE_SECONDS}s"))["result"]

    def until(self, expression: str, place: str = "") -> None:
        """Wait until an expression, which `place` shows, has samples."""
        self._wait(lambda: bool(self.query(expression)), f"{place} {expression}".strip())

    def scraped(self, process: str) -> set[str]:
        """Names of the metrics that a process tells, without those of the client library."""
        with urllib.request.urlopen(f"http://{self._at(process)}/metrics", timeout=30) as answer:
            names = re.findall(r"^# TYPE (\w+) (\w+)$", answer.read().decode(), re.MULTILINE)
        return {name for name, _ in names if name.startswith(process) and not name.endswith("_created")}

    def _prometheus(self) -> list[str]:
        config = yaml.safe_load((MONITORING / "prometheus" / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"}
        config["rule_files"] = [str(MONITORING / "prometheus" / "alerts.yml")]
        places = {
            "kafka": f"127.0.0.1:{self.stack.ports['kafka_metrics']}",
            "minio": f"127.0.0.1:{self.stack.ports['minio']}",
        }
        for job in config["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            name = job["job_name"]
            job["static_configs"] = [{"targets": [places.get(name) or self._at(name)]}]
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        return [
            need("prometheus", "prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address={self._at('prometheus')}",
        ]

    def _at(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def _start(self, name: str, command: list[str], environ: dict[str, str] | None = None) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ or self.environ, stdout=log, stderr=log)
            self.running.append(process)
        port = self.ports[name]

        def answers() -> bool:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5):
                return True

        self._wait(answers, f"{name} to answer at {port}")

    def _wait(self, attempt: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                if attempt():
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                logs = {p.stem: p.read_text(errors="replace")[-500:] for p in self.folder.glob("*.log")}
                raise AssertionError(f"must be within {LIMIT} s: {what}; {logs}")
            time.sleep(0.5)


@pytest.fixture(scope="session")
def watched(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Everything runs and has been scraped."""
    postgres = Postgres()
    platform = Watched(stack, postgres, tmp_path_factory.mktemp("watched"))
    try:
        platform.up()
        yield platform
    finally:
        platform.down()
        postgres.stop()
