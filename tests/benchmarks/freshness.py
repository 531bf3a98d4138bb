"""Seconds from an event that is produced to its place in the API's merged answer, at 500 events/s on the local stack;
beside them those of an empty stream: Kafka, `foreachBatch`, one PUT, one GET.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment.demo import login
from deployment.local_stack import LocalStack
from deployment.ports import free_port
from kafka import KafkaProducer
from runtime.storage.opening import open_store
from tests.benchmarks.empty_stream import NAME

RATE, PROBES, GAP = 500, 120, 0.25
# A busy machine takes a minute and more from Spark's start to its first delta.
START_LIMIT, LIMIT = 400, 120
# Java compiles what runs often for a minute and more; what is fresh then stays so.
WARM_SECONDS, LATER_SECONDS = 10, 90
TOPIC = "auth_topic"
LAYERS = (["speed_layer/stream_layer.py"], ["serving_layer/serving_layer.py"])
Asking = Callable[[list[str]], list[str]]


def run(_: int) -> None:
    """Print how long the probes take in both, and the bar by that: one and a half times the empty one and 0.3 s."""
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_ports=True)
        try:
            stack.up()
            environ = {**os.environ, **stack.environment, "SPARK_UI_PORT": ""}
            ours, start = _ours(environ, Path(folder))
            empty = _empty(stack, environ, Path(folder))
        finally:
            stack.down()
    print(f"\n## Freshness at {RATE} events/s, {PROBES} probes; first answer {start:.0f} s after the start\n")
    print("| | p50, s | p95, s | slowest, s |\n|---|---|---|---|")
    rows = {f"events to the API's answer, from {seconds} s later on": delays for seconds, delays in ours.items()}
    for name, delays in {**rows, "empty stream: one PUT, one GET": empty}.items():
        print(f"| {name} | {at(delays, 0.5):.2f} | {at(delays, 0.95):.2f} | {delays[-1]:.2f} |")
    bars = [1.5 * at(empty, share) + 0.3 for share in (0.5, 0.95)]
    print(f"| bar by that | {bars[0]:.2f} | {bars[1]:.2f} | |", flush=True)


def _ours(environ: dict[str, str], folder: Path) -> tuple[dict[int, list[float]], float]:
    """The probes' delays by seconds since the first answer, and when that came."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    own = {**environ, "SERVING_PORT": str(port)}
    with running(folder, own, *LAYERS, sender()):
        wait(lambda: answer(f"{address}/views/auth_hourly_login_patterns?limit=1")["total"], "an answer", folder)
        first = time.monotonic()

        def ask(waiting: list[str]) -> list[str]:
            names = ",".join(waiting)
            path = f"/views/auth_user_activity_summary?user_id__in={names}&fields=user_id&limit=1000"
            return [row["user_id"] for row in answer(address + path)["rows"]]

        found = {}
        for seconds in (WARM_SECONDS, LATER_SECONDS):
            time.sleep(max(0.0, first + seconds - time.monotonic()))
            found[seconds] = probe(environ["KAFKA_BOOTSTRAP_SERVERS"], ask, folder)
        return found, first - started


def _empty(stack: LocalStack, environ: dict[str, str], folder: Path) -> list[float]:
    store = open_store("s3a://bucket-0/empty-stream", stack.settings)

    def seen() -> list[str]:
        try:
            return list(json.loads(store.read(NAME)))
        except FileNotFoundError:
            return []

    known: set[str] = set()

    def ask(waiting: list[str]) -> list[str]:
        known.update(seen())
        return [name for name in waiting if name in known]

    with running(folder, environ, ["-m", "tests.benchmarks.empty_stream", TOPIC, store.uri], sender()):
        wait(seen, "an object", folder)
        time.sleep(WARM_SECONDS)
        return probe(environ["KAFKA_BOOTSTRAP_SERVERS"], ask, folder)


def sender() -> list[str]:
    """The command of a producer at RATE."""
    return ["ingestion_layer/producer.py", "--rate", str(RATE)]


@contextmanager
def running(folder: Path, environ: dict[str, str], *commands: list[str]) -> Iterator[None]:
    """Commands as processes; what they print is in the folder."""
    processes = []
    try:
        for command in commands:
            with open(folder / f"{Path(command[0] if command[0] != '-m' else command[1]).stem}.log", "ab") as log:
                processes.append(subprocess.Popen([sys.executable, *command], env=environ, stdout=log, stderr=log))
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _said(folder: Path) -> str:
    return "\n".join(f"-- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(folder.glob("*.log")))


def answer(address: str) -> dict:
    """The object that is answered."""
    with urllib.request.urlopen(address, timeout=30) as found:
        return dict(json.load(found))


def wait(there: Callable[[], object], what: str, folder: Path) -> None:
    """Until something is there; RuntimeError with what the processes said where it never is."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        try:
            if there():
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"freshness: {what} must come within {START_LIMIT} s; got none\n{_said(folder)}")


def probe(servers: str, ask: Asking, folder: Path) -> list[float]:
    """Seconds from each probe's sending until `ask`, given those that wait, names it, in order. Probes are logins."""
    producer = KafkaProducer(bootstrap_servers=servers)
    sent: dict[str, float] = {}
    delays: list[float] = []
    name = f"probe-{time.monotonic_ns()}"

    def send() -> None:
        for number in range(PROBES):
            user = f"{name}-{number:04}"
            sent[user] = time.monotonic()
            producer.send(TOPIC, login(user), key=user.encode())
            producer.flush()
            time.sleep(GAP)

    sending = threading.Thread(target=send)
    sending.start()
    deadline = time.monotonic() + LIMIT
    while (sending.is_alive() or sent) and time.monotonic() < deadline:
        waiting = sorted(sent)
        for user in ask(waiting) if waiting else ():
            delays.append(time.monotonic() - sent.pop(user))
        time.sleep(0.02)
    sending.join()
    producer.close()
    if sent:
        raise RuntimeError(f"freshness: every probe must arrive within {LIMIT} s; {len(sent)} did not\n{_said(folder)}")
    return sorted(delays)


def at(delays: list[float], share: float) -> float:
    """The delay below which a share of all, sorted, lies."""
    return delays[min(len(delays) - 1, int(len(delays) * share))]
