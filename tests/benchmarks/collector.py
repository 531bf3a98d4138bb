"""The collector before a real Kafka: batches of 100, singles, and a bare FastAPI route that makes the same bytes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Sequence
from pathlib import Path

import orjson

from deployment.local_stack import LocalStack
from deployment.ports import free_port
from tests.benchmarks.process import memory_of

SECONDS = 10.0
# At half the bar for batches, and how often the collector's memory is looked at.
STEADY_SECONDS, LOOK_SECONDS = 600.0, 60.0
# Events of a request: the bar in events per second, half of it the first one, and over how many connections they come.
BARS = {100: (20_000, 8), 1: (2_000, 32)}
BARE = "tests.benchmarks.bare_collector"


def run(events: int) -> None:
    """Print events per second, latencies and the ratio to the bare route, by the clock and not by `events`."""
    del events
    with tempfile.TemporaryDirectory() as place:
        stack = LocalStack(Path(place) / "stack", free_ports=True)
        stack.up()
        try:
            _report(place, {**os.environ, **stack.environment})
        finally:
            stack.down()


def _report(place: str, environ: dict[str, str]) -> None:
    own = {"COLLECTOR_DATA": f"{place}/data", "COLLECTOR_SOURCES": f"{place}/sources"}
    port, bare = free_port(), free_port()
    processes = [
        subprocess.Popen([sys.executable, "ingestion_layer/collector.py", "--port", str(port)], env=environ | own),
        subprocess.Popen([sys.executable, "-m", BARE, str(bare)], env=environ),
    ]
    try:
        for number in (port, bare):
            _until_ready(f"http://127.0.0.1:{number}/health/ready")
        print("\n## Collector\n\n| | events/s | p50, p99, ms | bar, events/s |\n|---|---|---|---|", flush=True)
        for size, (bar, connections) in BARS.items():
            bodies = [body(size) for _ in range(2_000 if size == 1 else 500)]
            plain = asyncio.run(measured(bare, bodies, connections, SECONDS / 2))
            taken = asyncio.run(measured(port, bodies, connections, SECONDS))
            parts = {n: asyncio.run(measured(port, bodies, connections, SECONDS, bar / size / n)) for n in (2, 4)}
            kind = f"batches of {size}" if size > 1 else "singly"
            print(f"| {kind} | {taken.rate * size:,.0f} | {taken.latencies()} | {bar:,} |")
            print(f"| bare route, {kind} | {plain.rate * size:,.0f} | {plain.latencies()} | |")
            print(f"| ratio | {taken.rate / plain.rate:.2f} | | 0.5 |")
            for part, half in parts.items():
                told = f"1/{part} of the bar, {kind} | {half.rate * size:,.0f} | {half.latencies()}"
                print(f"| {told} | p99 50 ms |", flush=True)
        asyncio.run(_steady(port, processes[0].pid))
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)


async def _steady(port: int, pid: int) -> None:
    """Print the collector's memory while it takes batches at half the bar."""
    (size, (bar, connections)), held = next(iter(BARS.items())), list[int]()
    rate = bar / size / 2
    sending = asyncio.create_task(measured(port, [body(size) for _ in range(500)], connections, STEADY_SECONDS, rate))
    while not sending.done():
        await asyncio.wait([sending], timeout=LOOK_SECONDS)
        held.append(memory_of(pid) // 10**6)
    steady = await sending
    told = ", ".join(map(str, held))
    print(f"| {STEADY_SECONDS / 60:.0f} minutes of it | {steady.rate * size:,.0f} | {steady.latencies()} | |")
    print(f"| its memory by the minute, MB | {told} | | flat |", flush=True)


def body(size: int) -> bytes:
    """JSON lines of so many events."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    return b"\n".join(
        orjson.dumps(
            {
                **{"event_id": str(uuid.uuid4()), "event_category": "VIDEO", "event_type": "VIDEO_WATCHED"},
                **{"user_id": f"SV{number % 500:03}", "timestamp": now, "role": "student", "video_id": "VID001"},
                **{"course_id": "COURSE001", "session_id": "S1", "watch_duration_seconds": 61},
            }
        )
        for number in range(size)
    )


class Measured:
    """Requests per second, and how long each took."""

    def __init__(self, seconds: Sequence[float], elapsed: float):
        self._seconds, self.rate = sorted(seconds), len(seconds) / elapsed

    def latencies(self) -> str:
        """The median and the 99th percentile in milliseconds."""
        places = (len(self._seconds) // 2, len(self._seconds) * 99 // 100)
        return ", ".join(f"{self._seconds[place] * 1000:.1f}" for place in places)


async def measured(port: int, bodies: Sequence[bytes], connections: int, seconds: float, rate: float = 0.0) -> Measured:
    """Send bodies over connections, each when the one before it is answered, and not before its time at a rate."""
    took: list[float] = []
    begins = time.monotonic()
    until = begins + seconds

    async def sender(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = first
        while time.monotonic() < until:
            content = bodies[number % len(bodies)]
            if rate:
                await asyncio.sleep(max(0.0, begins + number / rate - time.monotonic()))
            number += connections
            started = time.perf_counter()
            head = f"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n"
            kind = "Content-Type: application/x-ndjson\r\n\r\n"
            writer.write(head.encode() + kind.encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"collector: must answer 200; got {answer[:80]!r}")
            took.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(sender(number) for number in range(connections)))
    return Measured(took, time.monotonic() - begins)


def _until_ready(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address}: must be ready within a minute")
