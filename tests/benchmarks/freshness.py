"""Seconds from an event that is produced to its place in the API's merged answer, at 500 events/s on the local
stack.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from deployment.demo import login
from deployment.local_stack import LocalStack
from deployment.ports import free_port
from kafka import KafkaProducer

RATE, PROBES, GAP = 500, 120, 0.25
LIMIT = 120


def run(_: int) -> None:
    """Print the median and the 95th percentile of the probes' delays."""
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_ports=True)
        running: list[subprocess.Popen] = []
        try:
            stack.up()
            port = free_port()
            environ = {**os.environ, **stack.environment, "SERVING_PORT": str(port)}
            producer = ["ingestion_layer/producer.py", "--rate", str(RATE), "--duration", str(int(PROBES * GAP + 60))]
            for script in (["speed_layer/stream_layer.py"], ["serving_layer/serving_layer.py"], producer):
                quiet = subprocess.DEVNULL
                running.append(subprocess.Popen([sys.executable, *script], env=environ, stdout=quiet, stderr=quiet))
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            delays = _probe(stack.environment["KAFKA_BOOTSTRAP_SERVERS"], address)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(60)
            stack.down()
    delays.sort()
    print(f"\n## Freshness at {RATE} events/s, {len(delays)} probes\n\n| p50, s | p95, s | slowest, s |\n|---|---|---|")
    print(f"| {statistics.median(delays):.2f} | {delays[int(len(delays) * 0.95)]:.2f} | {delays[-1]:.2f} |", flush=True)


def _wait(address: str) -> None:
    """Until events flow into the answers."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/views/auth_hourly_login_patterns?limit=1") as answer:
                if json.load(answer)["total"]:
                    time.sleep(10)
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"freshness: events must be in the answers within {LIMIT} s; got none")


def _probe(servers: str, address: str) -> list[float]:
    producer = KafkaProducer(bootstrap_servers=servers)
    sent: dict[str, float] = {}
    delays: list[float] = []

    def send() -> None:
        for number in range(PROBES):
            user = f"probe-{number:04}"
            sent[user] = time.monotonic()
            producer.send("auth_topic", login(user), key=user.encode())
            producer.flush()
            time.sleep(GAP)

    sender = threading.Thread(target=send)
    sender.start()
    deadline = time.monotonic() + LIMIT
    while (sender.is_alive() or sent) and time.monotonic() < deadline:
        waiting = sorted(sent)
        if waiting:
            names = ",".join(waiting)
            with urllib.request.urlopen(
                f"{address}/views/auth_user_activity_summary?user_id__in={names}&fields=user_id&limit=1000"
            ) as answer:
                for row in json.load(answer)["rows"]:
                    delays.append(time.monotonic() - sent.pop(row["user_id"]))
        time.sleep(0.02)
    sender.join()
    if sent:
        raise RuntimeError(f"freshness: every probe must arrive within {LIMIT} s; {len(sent)} did not")
    return delays
