"""The layers as processes of their own over a real Kafka and MinIO: they can be killed, come back, and be asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyarrow as pa

from catalogue.events import TOPICS
from catalogue.views import VIEWS
from deployment.local_stack import LocalStack
from deployment.ports import free_port
from kafka import KafkaConsumer, TopicPartition
from runtime.storage.opening import open_store
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.histories import landed
from tests.oracle.views import all_views

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {
    "ingestion": ["ingestion_layer/minio_ingest.py"],
    "speed": ["speed_layer/stream_layer.py"],
    "serving": ["serving_layer/serving_layer.py"],
    "replica": ["serving_layer/serving_layer.py"],
}
SERVERS = ("serving", "replica")
LIMIT = 300
Heads = dict[str, dict[str, int]]


class Layers:
    """Ingestion, speed and two serving processes over `stack`; what they print is under `folder`."""

    def __init__(self, stack: LocalStack, folder: Path, **settings: str):
        self.stack, self.folder = stack, folder
        self.processes: dict[str, subprocess.Popen] = {}
        self.ports = {name: free_port() for name in SERVERS}
        names = {"MASTER_DATASET": "raw", "BATCH_VIEWS": "batch", "SPEED_VIEWS": "speed", "QUARANTINE": "quarantine"}
        self.places = {name: f"s3a://bucket-0/layers/{place}" for name, place in names.items()}
        self.environ = {**os.environ, **stack.environment, **self.places, **settings}
        self.raw = open_store(self.places["MASTER_DATASET"], stack.settings)
        self.batch = open_store(self.places["BATCH_VIEWS"], stack.settings)
        self.deltas = open_store(self.places["SPEED_VIEWS"], stack.settings)

    def start(self, *names: str) -> None:
        """Start those that don't run."""
        for name in names:
            if name in self.processes and self.processes[name].poll() is None:
                continue
            environ = {**self.environ, "SERVING_PORT": str(self.ports.get(name, 0))}
            with open(self.folder / f"{name}.log", "ab") as log:
                command = [sys.executable, *SCRIPTS[name]]
                self.processes[name] = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        """End one, and what Spark started for it."""
        self.processes[name].send_signal(how)
        self.processes[name].wait(LIMIT)

    def stop(self) -> None:
        """End all."""
        running = [p for p in self.processes.values() if p.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)

    def run_batch(self, *options: str) -> str:
        """A batch run as a process of its own; what it printed. AssertionError where it failed."""
        places = (self.places["MASTER_DATASET"], self.places["BATCH_VIEWS"])
        command = [sys.executable, "batch_layer/run_batch_jobs.py", *options, *places]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def republish(self, run: str) -> None:
        """Go back to a kept run. It may be dropped, or another one published, meanwhile."""
        command = [sys.executable, "batch_layer/run_batch_jobs.py", "--republish", run, self.places["BATCH_VIEWS"]]
        subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, timeout=LIMIT, check=False)

    def said(self, name: str) -> str:
        """The end of what a layer printed."""
        return (self.folder / f"{name}.log").read_text()[-3000:]

    def address(self, name: str = "serving") -> str:
        """The API of one of the two serving processes."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def freshness(self, name: str = "serving") -> dict:
        """The answer of `/freshness`; OSError where there is none."""
        with urllib.request.urlopen(f"{self.address(name)}/freshness", timeout=10) as answer:
            return json.load(answer)

    def read(self, view: str, layer: str = "merged", name: str = "serving", pages: int = 10_000) -> tuple[list, dict]:
        """All rows of a view, typed, and their `as_of`."""
        rows: list[dict] = []
        cursor = ""
        with httpx.Client(base_url=self.address(name), timeout=30) as client:
            while True:
                chosen: dict[str, str | int] = {"format": "arrow", "layer": layer, "limit": pages}
                if cursor:
                    chosen["cursor"] = cursor
                answer = client.get(f"/views/{view}", params=chosen)
                answer.raise_for_status()
                rows += pa.ipc.open_stream(answer.content).read_all().to_pylist()
                cursor = answer.headers["x-next"]
                if not cursor:
                    return rows, json.loads(answer.headers["x-as-of"])

    def wait(self, head: Heads, name: str = "serving", run: str | None = None) -> None:
        """Until a serving process covers `head`, with run `run` where it is given."""
        deadline = time.monotonic() + LIMIT
        fresh: dict = {}
        while time.monotonic() < deadline:
            try:
                fresh = self.freshness(name)
                if reaches(fresh["head"], head) and run in (None, fresh["run"]):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        logs = "\n".join(f"-- {n}\n{self.said(n)}" for n in self.processes)
        raise AssertionError(f"{name} must cover {head} with run {run}; got {fresh}\n{logs}")


def reaches(head: Heads, wanted: Heads) -> bool:
    """Whether `head` is nowhere before `wanted`."""
    return all(head.get(t, {}).get(p, 0) >= end for t, ends in wanted.items() for p, end in ends.items())


def ends(stack: LocalStack) -> Heads:
    """Kafka's exclusive ends."""
    consumer = KafkaConsumer(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"])
    places = [TopicPartition(t.name, p) for t in TOPICS.values() for p in range(t.partitions)]
    found: Heads = {t: {} for t in TOPICS}
    for place, end in consumer.end_offsets(places).items():
        found[place.topic][str(place.partition)] = end
    consumer.close()
    return found


def in_kafka(stack: LocalStack) -> list[Record]:
    """Every record of the topics."""
    consumer = KafkaConsumer(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"], consumer_timeout_ms=60_000)
    places = [TopicPartition(t.name, p) for t in TOPICS.values() for p in range(t.partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    wanted = sum(consumer.end_offsets(places).values())
    found: list[Record] = []
    while len(found) < wanted:
        r = next(consumer)
        found.append(Record(r.topic, r.partition, r.offset, datetime.fromtimestamp(r.timestamp / 1000, UTC), r.value))
    consumer.close()
    return found


class Oracle:
    """What the views must be at any head, over what Kafka holds; each topic and head is computed once."""

    def __init__(self, records: list[Record]):
        self.records = {t: landed(r for r in records if r.topic == t) for t in TOPICS}
        self.known: dict[tuple, dict[str, list[dict]]] = {}

    def wrong(self, view: str, rows: list[dict], as_of: dict) -> list[str]:
        """How the rows of a view differ from what they must be at the head that they name."""
        topic = VIEWS[view].topic
        head = as_of["head"][topic]
        key = (topic, *sorted(head.items()))
        if key not in self.known:
            covered = [r for r in self.records[topic] if r.offset < head.get(str(r.partition), 0)]
            self.known[key] = all_views(covered)
        return differences(self.known[key][view], rows)[:2]


class Watch(threading.Thread):
    """Asks the API while events flow: no head and no count of a process may go back, none may exceed what was sent.

    Only where an older run was published again may they. `samples` are whole answers, for which the oracle says what
    they must have been once it is quiet.
    """

    COUNTS = {"auth_hourly_login_patterns": "login_count", "course_daily_engagement": "event_count"}

    def __init__(self, layers: Layers, seed: int):
        super().__init__(daemon=True)
        self.layers, self.views = layers, sorted(VIEWS)
        self.seed = seed
        self.stopping = threading.Event()
        self.samples: list[tuple[str, list, dict]] = []
        self.faults: list[str] = []
        self.asked = 0

    def stop(self) -> None:
        """Stop and wait."""
        self.stopping.set()
        self.join(60)

    def run(self) -> None:
        """Until stopped."""
        known: dict[str, tuple[int, str, dict[tuple, int]]] = {}
        number = self.seed
        while not self.stopping.wait(1.0):
            number += 1
            name = SERVERS[number % 2]
            process = self.layers.processes.get(name)
            try:
                published, seen = self._counts(name)
                if number % 4 < 2:
                    view = self.views[number % len(self.views)]
                    self.samples.append((view, *self.layers.read(view, name=name)))
            except (OSError, httpx.HTTPError):
                continue
            self.asked += 1
            before = known.get(name)
            if process is None or process.poll() is not None:
                continue
            if before and before[0] == process.pid and before[1] <= published:
                self.faults += [
                    f"{name}: {k} went back from {v} to {seen.get(k)} on the run of {published}"
                    for k, v in before[2].items()
                    if seen.get(k, 0) < v
                ]
            known[name] = process.pid, published, seen

    def _counts(self, name: str) -> tuple[str, dict[tuple, int]]:
        fresh = self.layers.freshness(name)
        seen: dict[tuple, int] = {
            ("head", t, p): end for t, ends_of in fresh["head"].items() for p, end in ends_of.items()
        }
        for topic, partitions in fresh["ledger"].items():
            for partition, entry in partitions.items():
                seen["counted", topic, partition] = entry["counted"]
                if entry["counted"] > fresh["head"][topic].get(partition, 0):
                    self.faults.append(f"{name}: {topic} {partition} must not exceed its head; got {entry}")
        for view, column in self.COUNTS.items():
            seen["sum", view] = sum(row[column] for row in self.layers.read(view, name=name)[0])
        published = self.layers.freshness(name)["published_at"]
        if published != fresh["published_at"]:
            raise OSError("another run took over in the middle")
        return published or "", seen
