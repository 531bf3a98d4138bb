"""The query API on a month of history: lookups, a sorted page, a delta, a new batch run, and a bare route beside it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from deployment.ports import free_port
from runtime.settings import Settings
from tests.benchmarks.deltas import Deltas
from tests.benchmarks.history import STUDENTS, raw_history
from tests.benchmarks.process import measured

RATE, SECONDS = 200, 15
CONNECTIONS = 16
LOOKUPS = ("video_student_engagement", "course_activity_summary", "auth_user_activity_summary")
LARGEST, SORT = "video_total_watch_time", "-total_watch_seconds"
BARE = "tests.benchmarks.bare_route"


def run(events: int) -> None:
    """Print latencies and throughputs."""
    raw = raw_history(events)
    with tempfile.TemporaryDirectory() as folder:
        views = f"{folder}/batch_views"
        measured(["batch_layer/run_batch_jobs.py", str(raw), views])
        environ = {**os.environ, "BATCH_VIEWS": views, "SPEED_VIEWS": f"{folder}/speed_views"}
        started = time.monotonic()
        process, address = served(["serving_layer/serving_layer.py"], environ)
        try:
            until_ready(address)
            opening = time.monotonic() - started
            _report(events, address, environ, opening, folder, str(raw), views)
        finally:
            process.terminate()
            process.wait(60)


def _report(
    events: int, address: str, environ: dict[str, str], opening: float, folder: str, raw: str, views: str
) -> None:
    users = [f"SV{n:03}" for n in random.Random(1).sample(range(1, STUDENTS + 1), 5000)]
    print(
        f"\n## Query API, {events:,} events of history\n\n| | |\n|---|---|\n| opened in, s | {opening:.1f} |",
        flush=True,
    )
    for view in LOOKUPS:
        paths = [f"/views/{view}?user_id={user}" for user in users]
        latencies = asyncio.run(at_rate(address, paths, RATE, SECONDS))
        print(
            f"| {view} by user_id at {RATE}/s: p50, p99, ms | {ms(latencies, 0.5)}, {ms(latencies, 0.99)} |",
            flush=True,
        )
    paths = [f"/views/{LOOKUPS[0]}?user_id={user}" for user in users]
    with urllib.request.urlopen(address + paths[0]) as answer:
        (Path(folder) / "bytes").write_bytes(answer.read())
    bare, bare_address = served(["-m", BARE], {**environ, "BARE_BYTES": f"{folder}/bytes"})
    try:
        until_ready(bare_address)
        ours, theirs = [], []
        for _ in range(5):
            theirs.append(asyncio.run(flood(bare_address, ["/bare"], 4)))
            ours.append(asyncio.run(flood(address, paths, 4)))
    finally:
        bare.terminate()
        bare.wait(30)
    ratio = median(o / t for o, t in zip(ours, theirs, strict=True))
    rates = f"{median(ours):.0f}, {median(theirs):.0f}, {ratio:.2f}"
    print(f"| lookups/s, bare route/s, ratio, each the median of five | {rates} |", flush=True)
    page = f"/views/{LARGEST}?sort={SORT}"
    latencies = asyncio.run(_one_by_one(address, [page + f"&limit={100 + n % 7}" for n in range(40)]))
    print(f"| first page of {LARGEST} by {SORT}: p95, ms | {ms(latencies, 0.95)} |", flush=True)
    applied = [_delta(address, environ, number) for number in range(5)]
    seconds = [taken for taken, _ in applied]
    print(
        f"| a delta of 1,000 events applied in: median, slowest, ms | {ms(seconds, 0.5)}, {ms(seconds, 1.0)} |",
        flush=True,
    )
    touched = sorted({user for _, found in applied for user in found})
    for view in LOOKUPS:
        latencies = asyncio.run(at_rate(address, [f"/views/{view}?user_id={user}" for user in touched], RATE, SECONDS))
        print(
            f"| {view} by user_id of {len(touched)} users whom deltas touched, at {RATE}/s: p50, p99, ms "
            f"| {ms(latencies, 0.5)}, {ms(latencies, 0.99)} |",
            flush=True,
        )
    measured(["batch_layer/run_batch_jobs.py", raw, views, "--full"])
    before = _run_of(address)
    started = time.monotonic()
    latencies = asyncio.run(
        _while(address, paths, lambda: _run_of(address) == before and time.monotonic() - started < 120)
    )
    swap = time.monotonic() - started
    print(
        f"| new run swapped in within, s; slowest request meanwhile, ms | {swap:.1f}; {ms(latencies, 1.0)} |",
        flush=True,
    )


def served(command: list[str], environ: dict[str, str]) -> tuple[subprocess.Popen, str]:
    """A server as a process, and its address."""
    port = free_port()
    environ = {**environ, "SERVING_PORT": str(port)}
    process = subprocess.Popen([sys.executable, *command], env=environ, stdout=subprocess.DEVNULL)
    return process, f"http://127.0.0.1:{port}"


def until_ready(address: str) -> None:
    """Wait until a server is ready."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health/ready"):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("serving: must be ready within 300 s")


def _run_of(address: str) -> str:
    with urllib.request.urlopen(f"{address}/freshness") as answer:
        return json.load(answer)["run"]


def _delta(address: str, environ: dict[str, str], number: int) -> tuple[float, set[str]]:
    """Seconds that the serving layer takes to apply a delta of 1,000 events, by its own measure, and whose they are."""
    deltas = Deltas(Settings.load(environ), dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    before = _metric(address, "serving_delta_apply_seconds_sum")
    users = deltas.publish(number, 1000)
    deltas.close()
    deadline = time.monotonic() + 30
    while _metric(address, "serving_delta_apply_seconds_count") <= number:
        if time.monotonic() > deadline:
            raise RuntimeError("serving: a delta must be applied within 30 s")
        time.sleep(0.05)
    return _metric(address, "serving_delta_apply_seconds_sum") - before, users


def _metric(address: str, name: str) -> float:
    with urllib.request.urlopen(f"{address}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name + " ")))


def ms(latencies: list[float], share: float) -> str:
    """The latency below which a share of all lies."""
    ordered = sorted(latencies)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:.1f}"


class Connection:
    """One kept-alive HTTP/1.1 connection that asks and waits."""

    def __init__(self, address: str, headers: str = ""):
        parts, self.headers = urlsplit(address), headers
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> float:
        """Seconds that the answer took; RuntimeError where it is no 200."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        started = time.perf_counter()
        if reader.at_eof():  # the server closes connections that rest
            self.streams = reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{self.headers}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path}: must be 200; got {head[:60]!r}")
        return time.perf_counter() - started


async def _one_by_one(address: str, paths: list[str]) -> list[float]:
    connection = Connection(address)
    return [await connection.get(path) for path in paths]


async def flood(address: str, paths: list[str], seconds: float, headers: str = "") -> float:
    """Answers per second over many connections."""
    end, done = time.perf_counter() + seconds, 0

    async def ask(number: int) -> None:
        nonlocal done
        connection = Connection(address, headers)
        while time.perf_counter() < end:
            await connection.get(paths[(number + done * 7) % len(paths)])
            done += 1

    await asyncio.gather(*(ask(n) for n in range(CONNECTIONS)))
    return done / seconds


async def at_rate(address: str, paths: list[str], rate: int, seconds: float, headers: str = "") -> list[float]:
    """Latencies from the moment at which each request was due."""
    idle = [Connection(address, headers) for _ in range(CONNECTIONS)]
    latencies: list[float] = []
    waiting: list[asyncio.Task] = []

    async def ask(path: str, due: float) -> None:
        connection = idle.pop() if idle else Connection(address, headers)
        await connection.get(path)
        latencies.append(time.perf_counter() - due)
        idle.append(connection)

    begin = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        waiting.append(asyncio.create_task(ask(paths[number % len(paths)], due)))
    await asyncio.gather(*waiting)
    return latencies


async def _while(address: str, paths: list[str], going: Callable[[], bool]) -> list[float]:
    connection, latencies = Connection(address), []
    number = 0
    while await asyncio.to_thread(going):
        for _ in range(20):
            latencies.append(await connection.get(paths[number % len(paths)]))
            number += 1
            await asyncio.sleep(0.01)
    return latencies
