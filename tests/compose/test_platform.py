"""Compose for real: from built images to a merged answer, a run on Oozie, down and up again with nothing lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from catalogue.documents import example
from catalogue.events import EVENT_TYPES, TOPICS
from catalogue.views import VIEWS
from deployment.compose import command, compose
from deployment.images import engine
from deployment.images.build import IMAGES, build
from deployment.installation import StackError
from deployment.pins import PINS, pins
from deployment.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
FIRST_ANSWER_SECONDS = 120
LIMIT = 600
EVENTS = 2000


class Platform:
    """The platform of Compose under a project name and on ports of its own."""

    def __init__(self) -> None:
        ports = free_ports([name for name in pins() if name.endswith("_PORT")])
        self.environ = os.environ | {name: str(port) for name, port in ports.items()}
        self.environ["COMPOSE_PROJECT_NAME"] = "learning-analytics-test"
        self.ports = ports

    def compose(self, *arguments: str) -> str:
        return compose(*arguments, local=True, environ=self.environ, limit=LIMIT)

    def up(self) -> subprocess.Popen:
        """Compose on its way up; it ends when the last service has been started."""
        return subprocess.Popen([*command(True), "up", "-d"], cwd=PINS.parent, env=self.environ)

    def get(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self.ports['SERVING_PORT']}{path}"
        key = None if path.startswith("/health") else self.key
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    @cached_property
    def key(self) -> str:
        """The operator's, as the page of Compose says to get it."""
        return self.compose("exec", "-T", "serving", "cat", "/var/lib/keys/OPERATOR_KEY").strip()

    def produce(self, *options: str) -> None:
        environ = self.environ | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['KAFKA_PORT']}"}
        script = [sys.executable, str(ROOT / "ingestion_layer" / "producer.py"), *options]
        subprocess.run(script, env=environ, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT)

    def collected(self, key: str) -> bool:
        """Send an event by HTTP; whether the collector has taken it. HTTPError while it doesn't know the key."""
        body = json.dumps(example(TOPICS["auth_topic"], EVENT_TYPES["LOGIN"])).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.ports['COLLECTOR_PORT']}/events"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return json.load(answer)["accepted"] == 1

    def rows(self) -> dict[str, list[dict]]:
        """Every row of every view, in one order."""
        found = {name: self.get(f"/views/{name}?limit=10000")["rows"] for name in VIEWS}
        return {name: sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for name, rows in found.items()}

    def events(self) -> int:
        """Events that the answers cover."""
        return sum(end for partitions in self.get("/freshness")["head"].values() for end in partitions.values())


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    engine.start()
    for name in IMAGES:
        build(name)
    running = Platform()
    running.compose("down", "-v", "--remove-orphans")
    try:
        yield running
    finally:
        with suppress(StackError):
            (ROOT / ".local").mkdir(exist_ok=True)
            (ROOT / ".local" / "compose-test.log").write_text(running.compose("logs", "--no-color", "--tail=200"))
        running.compose("down", "-v", "--remove-orphans")


def wait(what: str, ready: Callable[[], Any], seconds: float = LIMIT) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, urllib.error.URLError, AssertionError):
            found = ready()
            if found:
                return found
        assert time.monotonic() < deadline, f"{what} must be within {seconds:.0f} s"
        time.sleep(0.25)


def healthy(platform: Platform) -> set[str]:
    """The services that are up and whose health check says so."""
    ids = platform.compose("ps", "-q").split()
    form = '{{index .Config.Labels "com.docker.compose.service"}} {{if .State.Health}}{{.State.Health.Status}}{{end}}'
    lines = engine.docker("inspect", "--format", form, *ids).splitlines()
    return {line.split()[0] for line in lines if line.endswith(" healthy")}


def test_platform(platform, capsys):
    def tell(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    started = time.monotonic()
    coming = platform.up()
    assert wait("serving", lambda: platform.get("/health/ready"))["authentication"] == "required"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"http://127.0.0.1:{platform.ports['SERVING_PORT']}/freshness", timeout=10)
    platform.produce("--events", "1", "--seed", "1")
    sent = time.monotonic()
    wait("the first merged answer", lambda: platform.events() == 1)
    first = time.monotonic() - started
    tell(f"\nfirst merged answer {first:.0f} s after `up`, {time.monotonic() - sent:.1f} s after its event was taken")
    assert coming.wait(LIMIT) == 0
    long_running = {"kafka", "minio", "collector", "ingestion", "speed", "serving", "oozie", "prometheus"}
    wait("health of every service", lambda: long_running <= healthy(platform))
    wait("Prometheus' targets", lambda: scraped(platform) == {*long_running - {"oozie", "prometheus"}, "pushgateway"})
    tell(f"every service healthy and scraped after {time.monotonic() - started:.0f} s")

    key = platform.compose("exec", "-T", "collector", "learn", "sources", "add", "campus", "--standard", "events")
    wait("the collector to know its source", lambda: platform.collected(key.strip()))
    wait("the collected event", lambda: platform.events() == 2)

    platform.produce("--events", str(EVENTS), "--seed", "2", "--duplicates", "0.02", "--invalid", "0.01")
    wait("all events", lambda: platform.events() >= EVENTS + 2)
    before = platform.rows()
    assert sum(map(len, before.values())) > 100
    wait("ingestion", lambda: "ingestion_lag_events" in metrics(platform, "ingestion") and lag(platform) == 0)

    ran = time.monotonic()
    job = platform.compose("run", "--rm", "coordinator", "run").split()[-1]
    info = ("exec", "-T", "oozie", "oozie", "job", "-info", job)
    wait("the run on Oozie", lambda: "Status        : RUNNING" not in platform.compose(*info))
    told = platform.compose(*info)
    assert "Status        : SUCCEEDED" in told and re.search(r"@retention +OK ", told), told
    wait("the run's views", lambda: platform.get("/freshness")["run"] == job)
    tell(f"a run on Oozie, from `coordinator run` to its views served: {time.monotonic() - ran:.0f} s")
    assert platform.rows() == before, "a batch run changes no answer"
    assert platform.events() == wait("the cut", lambda: covered(platform))

    platform.compose("down")
    assert not platform.compose("ps", "-q").strip()
    again = time.monotonic()
    coming = platform.up()
    wait("serving", lambda: platform.get("/health/ready"))
    assert platform.rows() == before, "nothing is lost by going down and up"
    tell(f"the same answers {time.monotonic() - again:.0f} s after going down and up")
    assert coming.wait(LIMIT) == 0
    events = platform.events()
    platform.produce("--events", "10", "--seed", "3")
    wait("events after the restart", lambda: platform.events() == events + 10)
    coordinators = platform.compose("exec", "-T", "oozie", "oozie", "jobs", "-jobtype", "coordinator")
    wait("health of every service", lambda: long_running <= healthy(platform))
    assert coordinators.count("learning-analytics-daily") == 1, "the daily run is still there, once"
    tell(engine.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"))
    assert first < FIRST_ANSWER_SECONDS


def scraped(platform: Platform) -> set[str]:
    """The jobs that Prometheus gets metrics of."""
    url = f"http://127.0.0.1:{platform.ports['PROMETHEUS_PORT']}/api/v1/query?query=up%3D%3D1"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return {series["metric"]["job"] for series in json.load(answer)["data"]["result"]}


def covered(platform: Platform) -> int:
    return sum(end for partitions in platform.get("/freshness")["cut"].values() for end in partitions.values())


def metrics(platform: Platform, service: str) -> str:
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9400/metrics').read().decode())"
    return platform.compose("exec", "-T", service, "python", "-c", ask)


def lag(platform: Platform) -> float:
    lines = metrics(platform, "ingestion").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("ingestion_lag_events"))
