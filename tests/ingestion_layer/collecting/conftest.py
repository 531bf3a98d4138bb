"""A collector as a process of its own, before a real Kafka; what Kafka got is read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalogue.events.unmapped import COLLECTED, UNMAPPED
from deployment.local_stack import LocalStack
from deployment.ports import free_port
from kafka import KafkaConsumer, TopicPartition
from tests.oracle.counting import Record

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 120


class Collector:
    """`python ingestion_layer/collector.py` with its state in `folder`."""

    def __init__(self, folder: Path, stack_environ: dict[str, str], **settings: str):
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        own = {"COLLECTOR_DATA": str(folder / "data"), "COLLECTOR_SOURCES": str(folder / "sources")}
        self.environ = {**os.environ, **stack_environ, **own, **settings}
        self.process = self._started()
        self.client = httpx.Client(base_url=self.address, timeout=LIMIT)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "ingestion_layer" / "collector.py"), "--port", str(self.port)]
        return subprocess.Popen(command, env=self.environ)

    def wait(self) -> Collector:
        """Until it takes events."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the collector must keep running"
            try:
                if self.client.get("/health/ready").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the collector must be ready within {LIMIT} s")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(30)

    def start_again(self) -> Collector:
        """Start it after an end."""
        self.process = self._started()
        return self.wait()

    def stop(self) -> int:
        """End it as it should end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Topics:
    """What Kafka's topics hold from a moment on."""

    def __init__(self, servers: str):
        self.servers = servers
        self.begin = self._ends()

    def _ends(self) -> dict[TopicPartition, int]:
        with closing(KafkaConsumer(bootstrap_servers=self.servers)) as consumer:
            return dict(consumer.end_offsets(self._places(consumer)))

    @staticmethod
    def _places(consumer: Any) -> list[TopicPartition]:
        return [TopicPartition(t, p) for t in COLLECTED for p in consumer.partitions_for_topic(t)]

    def records(self) -> list[tuple[str, bytes, bytes]]:
        """Topic, key and value of each record since."""
        return [(r.topic, r.key or b"", r.value) for r in self._arrived()]

    def arrived(self) -> list[Record]:
        """Each record since of the topics of events, as the oracle counts them."""
        return [
            Record(r.topic, r.partition, r.offset, datetime.fromtimestamp(r.timestamp / 1000, UTC), r.value)
            for r in self._arrived()
            if r.topic != UNMAPPED.name
        ]

    def _arrived(self) -> list[Any]:
        found = []
        with closing(KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)) as consumer:
            places = self._places(consumer)
            ends = consumer.end_offsets(places)
            consumer.assign(places)
            for place in places:
                consumer.seek(place, self.begin[place])
            deadline = time.monotonic() + LIMIT
            while any(consumer.position(place) < ends[place] for place in places):
                assert time.monotonic() < deadline
                for batch in consumer.poll(500).values():
                    found += batch
        return found

    def events(self) -> list[dict[str, Any]]:
        """The events since, without those that no mapping knows."""
        return [json.loads(value) for topic, _, value in self.records() if topic != UNMAPPED.name]

    def unmapped(self) -> list[dict[str, Any]]:
        """What no mapping knows."""
        return [json.loads(value) for topic, _, value in self.records() if topic == UNMAPPED.name]


@pytest.fixture(scope="session")
def shared_collector(stack: LocalStack, tmp_path_factory) -> Iterator[Collector]:
    """One collector for tests that leave it as it is."""
    running = Collector(tmp_path_factory.mktemp("collector"), stack.environment)
    try:
        yield running.wait()
    finally:
        running.stop()


@pytest.fixture
def topics(stack: LocalStack) -> Topics:
    """What arrives in Kafka from the test's beginning on."""
    return Topics(stack.settings.kafka_bootstrap_servers)
