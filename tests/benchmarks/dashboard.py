"""The dashboard in a real Chromium, on a month of history: `python -m tests.benchmarks dashboard --events 10000000`.

A course's page with empty caches until its first chart and until all of it is there; what it asks, by ten people at
once while events arrive; the memory of an open page under as many deltas as an hour has; an event from Kafka onto an
open page.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deployment import dashboard
from deployment.installation import tool
from deployment.local_stack import LocalStack
from deployment.packages import need
from deployment.ports import free_port
from runtime.settings import Settings
from tests.benchmarks import freshness
from tests.benchmarks.deltas import Deltas
from tests.benchmarks.history import raw_history
from tests.benchmarks.process import measured
from tests.benchmarks.serving import Connection, ms, served, until_ready

LOADS = 20
USERS, USER_SECONDS, AT_ONCE = 10, 30.0, 6
# As many as an hour has with one every five seconds.
DELTAS, DELTA_EVENTS, DELTA_SECONDS, LOOKS = 720, 100, 0.8, 6
ARRIVAL = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
LIMIT = 300
AS_BROWSERS = "Accept-Encoding: gzip\r\n"


class Chromium:
    """A browser that is told what to do, a line a command."""

    def __init__(self) -> None:
        dashboard.bundle()
        dashboard.modules()
        self.process = subprocess.Popen(
            [tool("node", dashboard.NODE), "tests/measure.mjs", need("chromium", "chromium")],
            cwd=dashboard.SOURCES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, **command: object) -> Any:
        """What it answers. RuntimeError where it has ended."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"chromium: must answer {command}; it has ended")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(60)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """One that is closed afterwards."""
    browser = Chromium()
    try:
        yield browser
    finally:
        browser.close()


def run(events: int) -> None:
    """Print the figures beside their bars."""
    raw = raw_history(events)
    with tempfile.TemporaryDirectory() as folder:
        views = f"{folder}/batch_views"
        measured(["batch_layer/run_batch_jobs.py", str(raw), views])
        names = ("SPEED_VIEWS", "IDENTITY", "DISCLOSURE_LOG", "QUARANTINE", "COLLECTOR_SOURCES")
        environ = {**os.environ, "BATCH_VIEWS": views, **{name: f"{folder}/{name.lower()}" for name in names}}
        process, address = served(["serving_layer/serving_layer.py"], environ)
        try:
            until_ready(address)
            print(f"\n## Dashboard, {events:,} events of history\n\n| what | bar | seen |\n|---|---|---|", flush=True)
            with chromium() as browser:
                page = f"{address}/#/course/{_largest(address)}"
                _paint(browser, page, address, environ)
                _memory(browser, page, environ)
        finally:
            process.terminate()
            process.wait(60)
    _arrival()


def _largest(address: str) -> str:
    """The course with most students."""
    asked = f"{address}/views/course_overall_metrics?sort=-unique_students_interacting&limit=1"
    with urllib.request.urlopen(asked) as answer:
        row = json.load(answer)["rows"][0]
    print(f"| students of the largest course | – | {row['unique_students_interacting']:,} |")
    return str(row["course_id"])


def _paint(browser: Chromium, page: str, address: str, environ: dict[str, str]) -> None:
    loads = [browser.tell(load=page) for _ in range(LOADS)]
    assert not any(load["trouble"] for load in loads), "a page must have no trouble"
    for name, key, bar in (("first chart", "chart", "1.5 s"), ("complete", "done", "3 s")):
        seconds = [load[key] / 1000 for load in loads]
        told = f"{ms(seconds, 0.5)}, {ms(seconds, 0.95)}, {ms(seconds, 1.0)}"
        print(f"| a course's page, {name}: p50, p95, slowest of {LOADS}, ms | p95 {bar} | {told} |", flush=True)
    paths = [url.removeprefix(address) for url in loads[-1]["asked"] if url.startswith(address)]
    paths = [path for path in dict.fromkeys(paths) if urlsplit(path).path != "/changes" and not path.endswith("#")]
    deltas, stop = Deltas(Settings.load(environ), ARRIVAL), threading.Event()
    sending = threading.Thread(target=_send, args=(deltas, stop))
    sending.start()
    latencies = asyncio.run(_used(address, paths))
    stop.set()
    sending.join()
    deltas.close()
    worst = sorted(latencies, key=lambda one: -one[0])[:3]
    seconds = [taken for taken, _ in latencies]
    print(
        f"| {USERS} people, {len(latencies):,} requests in {USER_SECONDS:.0f} s: p50, p99, slowest, ms | 500 ms | "
        f"{ms(seconds, 0.5)}, {ms(seconds, 0.99)}, {ms(seconds, 1.0)} "
        f"({'; '.join(f'{taken * 1000:.0f} {path[:90]}' for taken, path in worst)}) |",
        flush=True,
    )


def _send(deltas: Deltas, stop: threading.Event) -> None:
    number = 10_000
    while not stop.wait(2.0):
        deltas.publish(number, DELTA_EVENTS)
        number += 1


async def _used(address: str, paths: list[str]) -> list[tuple[float, str]]:
    """Seconds of each request, by people who open the page, look at it for a while and open it again."""
    latencies: list[tuple[float, str]] = []
    ends = time.monotonic() + USER_SECONDS

    async def asks(connection: Connection, waiting: Iterator[str]) -> None:
        for path in waiting:
            latencies.append((await connection.get(path), path))

    async def looks(person: int) -> None:
        chance = random.Random(person)
        connections = [Connection(address, AS_BROWSERS) for _ in range(AT_ONCE)]
        while time.monotonic() < ends:
            await asyncio.sleep(chance.uniform(1, 8))
            waiting = iter(paths)
            await asyncio.gather(*(asks(connection, waiting) for connection in connections))

    await asyncio.gather(*map(looks, range(USERS)))
    return latencies


def _memory(browser: Chromium, page: str, environ: dict[str, str]) -> None:
    deltas = Deltas(Settings.load(environ), ARRIVAL)
    browser.tell(open=page)
    seen, started = [], time.monotonic()
    for number in range(DELTAS):
        if number % (DELTAS // LOOKS) == 0:
            seen.append(browser.tell(memory=True))
        due = started + number * DELTA_SECONDS
        deltas.publish(number, DELTA_EVENTS)
        time.sleep(max(0.0, due - time.monotonic()))
    minutes = (time.monotonic() - started) / 60
    seen.append(browser.tell(memory=True))
    deltas.close()
    heaps = ", ".join(f"{one['heap'] / 1e6:.1f}" for one in seen)
    nodes = ", ".join(f"{one['nodes']:,}" for one in seen)
    print(f"| heap of an open page, {DELTAS} deltas in {minutes:.0f} minutes, MB | flat | {heaps} |")
    print(f"| its nodes | flat | {nodes} |", flush=True)


def _arrival() -> None:
    """From Kafka onto an open page: each of the probes of `freshness`, at its rate."""
    with tempfile.TemporaryDirectory() as name:
        folder, stack = Path(name), LocalStack(Path(name), free_ports=True)
        try:
            stack.up()
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            environ = {**os.environ, **stack.environment, "SPARK_UI_PORT": "", "SERVING_PORT": str(port)}
            with freshness.running(folder, environ, *freshness.LAYERS, freshness.sender()), chromium() as browser:
                asked = f"{address}/views/auth_hourly_login_patterns?limit=1"
                freshness.wait(lambda: freshness.answer(asked)["total"], "an answer", folder)
                view = "auth_user_activity_summary"
                browser.tell(open=f"{address}/#/students?{view}.sort=-last_activity&{view}.q=probe-")
                time.sleep(freshness.WARM_SECONDS)
                servers = environ["KAFKA_BOOTSTRAP_SERVERS"]
                delays = freshness.probe(servers, lambda waiting: browser.tell(has=waiting), folder)
        finally:
            stack.down()
    told = f"{freshness.at(delays, 0.5):.2f}, {freshness.at(delays, 0.95):.2f}, {delays[-1]:.2f}"
    print(f"| an event onto an open page: p50, p95, slowest of {len(delays)}, s | 2.5 s | {told} |", flush=True)
