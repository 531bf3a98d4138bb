"""Faults that a running platform has to bear, by name, and the comparison with the oracle when it is quiet.

`python -m tests.stack.faults [--seed N] [--steps N]` makes a platform bear as many of them as told,
in the seed's order.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

from kafka.errors import KafkaError

from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.raw_files import landed_head, newest_commit
from catalogue.at_rest.runs import RUNS, current
from catalogue.views import VIEWS
from deployment.local_stack import LocalStack
from kafka import KafkaProducer
from tests.oracle.counting import Record
from tests.oracle.histories import history
from tests.stack.layers import LIMIT, ROOT, SERVERS, Layers, Oracle, Watch, ends, in_kafka, reaches

TROUBLE = ("--late", "0.1", "--duplicates", "0.05", "--invalid", "0.05")
SAMPLES = 12
SETTINGS = {
    "INGEST_MIN_EVENTS": "300",
    "INGEST_MAX_DELAY_SECONDS": "5",
    "TRIGGER_SECONDS": "1",
    "POLL_SECONDS": "0.3",
    "COMPACT_AFTER_SECONDS": "5",
    "KEEP_RUNS": "3",
    "SPARK_DRIVER_MEMORY": "700m",
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # starts cost more here than what runs long
}


class Faults:
    """A platform under load, of at most `most` odd events. Each public method without an argument is a fault."""

    def __init__(self, stack: LocalStack, folder: Path, seed: int, most: int = 20_000):
        self.stack, self.rng, self.seed, self.most = stack, Random(seed), seed, most
        self.layers = Layers(stack, folder, **SETTINGS)
        self.watch = Watch(self.layers, seed)
        self.stopping = threading.Event()
        self.sent = 0
        self.records: list[Record] = []
        self.oracle = Oracle([])
        self.senders = [threading.Thread(target=self._send_generated), threading.Thread(target=self._send_any)]

    def start(self) -> None:
        """Start every layer and the load; events are landed and in the answers when it returns."""
        self.layers.start("speed", "ingestion", *SERVERS)
        for sender in self.senders:
            sender.start()
        self.watch.start()
        self.layers.wait({"video_topic": {"0": 1}, "course_topic": {"0": 1}})
        deadline = time.monotonic() + LIMIT
        while newest_commit(self.layers.raw) is None:
            assert time.monotonic() < deadline, self.layers.said("ingestion")
            time.sleep(0.2)

    def stop(self) -> None:
        """End everything."""
        self.watch.stop()
        self.stopping.set()
        for sender in self.senders:
            if sender.is_alive():
                sender.join(60)
        self.layers.stop()

    def _send_generated(self) -> None:
        """The producer's events, by one producer after another: one that Kafka left in the lurch has ended."""
        number = 0
        while not self.stopping.is_set():
            number += 1
            options = ["--rate", "30", "--events", "1200", "--seed", str(self.seed * 100 + number), *TROUBLE]
            command = [sys.executable, "ingestion_layer/producer.py", *options]
            with open(self.layers.folder / "producer.log", "ab") as log:
                process = subprocess.Popen(command, cwd=ROOT, env=self.layers.environ, stdout=log, stderr=log)
            while process.poll() is None:
                if self.stopping.wait(0.2):
                    process.terminate()
                    process.wait()

    def _send_any(self) -> None:
        """Events of every type and oddity, each in the partition of its history."""
        records = iter(history(self.seed, self.most))
        servers = self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
        while not self.stopping.is_set():
            try:
                with closing(
                    KafkaProducer(bootstrap_servers=servers, acks="all", bootstrap_timeout_ms=5000)
                ) as producer:
                    while not self.stopping.wait(0.5):
                        for record in islice(records, 8):
                            producer.send(record.topic, record.value, partition=record.partition)
                            self.sent += 1
                    producer.flush(10)
            except KafkaError:  # Kafka is away: what was not sent is not expected
                self.stopping.wait(1)

    def _pause(self, most: float = 4.0) -> None:
        time.sleep(self.rng.uniform(0.2, most))
        self.layers.start("ingestion")  # it ends where its stores are away, and is started again as by any supervisor

    def batch_runs(self) -> None:
        """A batch run while events flow."""
        self.layers.run_batch()

    def speed_is_killed(self) -> None:
        """SIGKILL of the speed layer at any moment; its checkpoint is lost with it."""
        self._pause()
        self.layers.kill("speed")
        self.layers.start("speed")

    def ingestion_is_killed(self) -> None:
        """SIGKILL of the ingester."""
        self._pause()
        self.layers.start("ingestion")
        self.layers.kill("ingestion")
        self.layers.start("ingestion")

    def serving_is_killed(self) -> None:
        """SIGKILL of one of the two serving processes."""
        name = self.rng.choice(SERVERS)
        self.layers.kill(name)
        self._pause(1.0)
        self.layers.start(name)

    def speed_is_down_while_batch_runs(self) -> None:
        """The batch layer overtakes a speed layer that is away."""
        self.layers.kill("speed", signal.SIGTERM)
        self._pause()
        self.layers.run_batch()
        self._pause()
        if self.rng.random() < 0.5:
            self.layers.run_batch()
        self.layers.start("speed")

    def speed_restarts_while_a_run_publishes(self) -> None:
        """Both start from what is published while that changes."""
        run = threading.Thread(target=self.layers.run_batch)
        run.start()
        while run.is_alive():
            self.layers.kill("speed")
            self.layers.start("speed")
            run.join(self.rng.uniform(1.0, 6.0))

    def kafka_restarts(self) -> None:
        """Kafka is killed and comes back."""
        self._restart("kafka")

    def minio_restarts(self) -> None:
        """MinIO is killed and comes back."""
        self._restart("minio")

    def _restart(self, name: str) -> None:
        pid = self.stack.running(name)
        assert pid
        os.kill(pid, signal.SIGKILL)
        while self.stack.running(name):
            time.sleep(0.05)
        self._pause(2.0)
        self.stack.up()
        self.layers.start("ingestion")

    def an_older_run_is_published_again(self) -> None:
        """`_current.json` is pointed back at a kept run."""
        kept = [e.path.removeprefix(RUNS).removesuffix(".json") for e in self.layers.batch.list(RUNS)]
        if kept:
            self.layers.republish(self.rng.choice(kept))

    def quiet(self) -> None:
        """No more load; wait until both servers have everything."""
        self.stopping.set()
        for sender in self.senders:
            sender.join(60)
        self.layers.start("speed", "ingestion", *SERVERS)
        head = ends(self.stack)
        for name in SERVERS:
            self.layers.wait(head, name)

    def last_run(self) -> None:
        """A batch run over everything that was sent, and both servers on it."""
        head, deadline = ends(self.stack), time.monotonic() + LIMIT
        while not reaches(landed_head(self.layers.raw), head):
            assert time.monotonic() < deadline, self.layers.said("ingestion")
            self.layers.start("ingestion")
            time.sleep(0.3)
        self.layers.run_batch()
        run = current(self.layers.batch)[0].run
        for name in SERVERS:
            self.layers.wait(head, name, run)

    def check(self) -> str:
        """Both servers answer as the oracle does, and so did every sample; what was compared. AssertionError if not."""
        records = in_kafka(self.stack)
        assert self.sent > 100 and len(records) > 1.2 * self.sent, "both senders must have sent"
        if records != self.records:
            self.records, self.oracle = records, Oracle(records)
        for name in SERVERS:
            for view in VIEWS:
                wrong = self.oracle.wrong(view, *self.layers.read(view, name=name))
                assert not wrong, f"{name}: {view} must be as the oracle has it; {wrong}"
        samples = self.rng.sample(self.watch.samples, min(SAMPLES, len(self.watch.samples)))
        for view, rows, as_of in samples:
            wrong = self.oracle.wrong(view, rows, as_of)
            assert not wrong, f"{view} must have been as the oracle has it at run {as_of['run']}; {wrong}"
        assert not self.watch.faults, self.watch.faults[:10]
        deltas = read_deltas(self.layers.deltas)
        run = current(self.layers.batch)[0].run
        return (
            f"{len(records)} records, run {run}, {len(deltas)} deltas of {max((d.last for d in deltas), default=0)}, "
            f"{self.watch.asked} looks, {len(samples)} samples"
        )


FAULTS: dict[str, Callable[[Faults], None]] = {
    name: method
    for name, method in vars(Faults).items()
    if not name.startswith("_") and name not in ("start", "stop", "quiet", "last_run", "check")
}


def _bear(faults: Faults, steps: int) -> None:
    try:
        faults.start()
        for number in range(steps):
            chosen = faults.rng.choice(sorted(FAULTS))
            started = time.monotonic()
            FAULTS[chosen](faults)
            print(f"{number + 1}. {chosen}: {time.monotonic() - started:.1f} s", flush=True)
            faults._pause(8.0)
        faults.quiet()
        faults.check()
        faults.last_run()
        print(f"seed {faults.seed}: right; {faults.check()}")
    finally:
        faults.stop()


def main() -> int:
    """Bear faults in a random order; 0 when every answer was right."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = LocalStack(folder, free_ports=True)
        try:
            stack.up()  # makes the keys that the layers are given
            _bear(Faults(stack, folder, options.seed), options.steps)
        finally:
            stack.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
