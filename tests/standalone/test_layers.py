"""Ingestion, speed and batch on a cluster whose workers are killed: the answers are the oracle's, by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batch_layer.run_batch_jobs import main
from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.runs import current
from catalogue.views import VIEWS
from deployment.local_stack import ROOT, LocalStack
from runtime.settings import Settings
from runtime.spark.session import session
from runtime.spark.shipped_code import ARCHIVE
from tests.stack.layers import LIMIT, Layers, Oracle, ends, in_kafka
from tests.standalone.cluster import Standalone

EVENTS = 3000
MICRO_BATCH = 500


@pytest.fixture(scope="module")
def layers(stack: LocalStack, cluster: Standalone, seed: int, tmp_path_factory) -> Iterator[Layers]:
    """The layers on the cluster, over a Kafka that holds events of the seed."""
    few = {"SPEED_MAX_EVENTS": str(MICRO_BATCH), "INGEST_MAX_EVENTS": "2000", "SPARK_UI_PORT": ""}
    running = Layers(stack, tmp_path_factory.mktemp("layers"), **cluster.environment, **few)
    shares = ("--duplicates", "0.05", "--invalid", "0.05", "--late", "0.1", "--students", "60", "--courses", "8")
    process(running, "ingestion_layer/producer.py", "--events", str(EVENTS), "--seed", str(seed), *shares)
    try:
        yield running
    finally:
        running.stop()


def process(layers: Layers, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=layers.environ, capture_output=True, text=True, timeout=12 * LIMIT
    )
    assert done.returncode == 0, done.stderr[-3000:]


class Death(threading.Thread):
    """Kills a worker of `cluster` as soon as `due` says so; `came` tells whether it has."""

    def __init__(self, cluster: Standalone, name: str, due: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.cluster, self.name_of_worker, self.due = cluster, name, due
        self.came, self.stopping = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        while not self.stopping.is_set():
            if self.cluster.executors(self.name_of_worker) and self.due():
                self.cluster.kill(self.name_of_worker)
                self.came.set()
                return
            time.sleep(0.02)

    def over(self) -> bool:
        """Whether it came before now; from now on it doesn't."""
        came = self.came.is_set()
        self.stopping.set()
        self.join(30)
        return came


def whole(cluster: Standalone) -> None:
    """Bring back a worker that was killed."""
    for name in ("worker-0", "worker-1"):
        if name not in cluster.processes:
            cluster.add(name)
    cluster.wait(2)


def test_executors_run_the_code_that_the_driver_sent(cluster: Standalone, monkeypatch) -> None:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    spark = session("code", Settings.load())

    def where(_: int) -> tuple[str, str]:
        import batch_layer.steps

        return batch_layer.steps.__file__, os.environ.get("PYTHONPATH", "")

    try:
        found = spark.sparkContext.parallelize(range(4), 4).map(where).collect()
    finally:
        spark.stop()
    assert all(f"/{ARCHIVE}/" in file and not file.startswith(str(ROOT)) for file, _ in found), found
    assert not any(str(ROOT) in path.split(":") for _, path in found), found


def test_ingestion_lands_everything_once(layers: Layers) -> None:
    process(layers, "ingestion_layer/minio_ingest.py", "--once")
    names = [e.path for e in layers.raw.list("topic=")]
    lines = [json.loads(line) for path in names for line in _lines(layers, path)]
    places = {(line["topic"], line["partition"], line["offset"]) for line in lines}
    assert len(places) == len(lines) and len(lines) <= sum(sum(p.values()) for p in ends(layers.stack).values())
    assert len(lines) > EVENTS / 2


def _lines(layers: Layers, path: str) -> list[bytes]:
    import gzip

    data = layers.raw.read(path)
    return (gzip.decompress(data) if path.endswith(".gz") else data).splitlines()


def test_a_worker_dies_in_the_middle_of_a_micro_batch(layers: Layers, cluster: Standalone, seed: int) -> None:
    whole(cluster)
    death = Death(cluster, "worker-0", lambda: len(read_deltas(layers.deltas)) >= 2)
    process(layers, "speed_layer/stream_layer.py", "--once")
    assert death.over(), "it was to come before the last delta"
    deltas = read_deltas(layers.deltas)
    assert len(deltas) >= EVENTS / MICRO_BATCH and [d.number for d in deltas] == [*range(1, len(deltas) + 1)]
    layers.start("serving")
    right(layers, seed)


def test_a_worker_dies_in_the_middle_of_a_batch_run(
    layers: Layers, cluster: Standalone, seed: int, monkeypatch
) -> None:
    whole(cluster)
    for name, value in layers.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("batch_layer.topic_plan.SLICE_BYTES", 150_000)
    monkeypatch.setattr("batch_layer.topic_plan.BUCKET_BYTES", 150_000)
    # When files of the state are there, slices are done: their rows are gone with the worker and are made again.
    death = Death(cluster, "worker-1", lambda: bool(layers.batch.list("_state/")))
    assert main([layers.places["MASTER_DATASET"], layers.places["BATCH_VIEWS"]]) == 0
    assert death.over(), "it was to come before the run was published"
    published = current(layers.batch)[0]
    assert published.landed and all("buckets" in _inputs(layers, t, r) for t, r in published.state.items())
    layers.start("serving")
    layers.wait(ends(layers.stack), run=published.run)
    right(layers, seed)


def _inputs(layers: Layers, topic: str, run: str) -> dict:
    return dict(json.loads(layers.batch.read(f"_state/{topic}/run={run}/inputs.json")))


def right(layers: Layers, seed: int) -> None:
    """Every view is what the oracle makes of what Kafka holds, in both layers together."""
    layers.wait(ends(layers.stack))
    oracle = Oracle(in_kafka(layers.stack))
    wrong = {view: found for view in VIEWS if (found := oracle.wrong(view, *layers.read(view)))}
    assert not wrong, f"SEED={seed}: {wrong}"


def test_logs_are_of_two_workers(cluster: Standalone) -> None:
    """Both have worked, each with executors of its own."""
    for name in ("worker-0", "worker-1"):
        assert list(Path(cluster.folder / name).glob("app-*/*/stderr")), name
