"""The producer against a real Kafka: every event arrives once, keyed by its user, also when it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from catalogue.events import TOPICS
from catalogue.events.topic_configuration import topic_config
from deployment.local_stack import LocalStack
from ingestion_layer.sinks import KafkaSink, SinkError
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

PRODUCER = Path(__file__).resolve().parents[2] / "ingestion_layer" / "producer.py"
PLACES = [TopicPartition(t.name, p) for t in TOPICS.values() for p in range(t.partitions)]


class Watch:
    """What arrives in Kafka from now on."""

    def __init__(self, stack: LocalStack) -> None:
        servers = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
        self.consumer = KafkaConsumer(bootstrap_servers=servers, consumer_timeout_ms=5000)
        self.consumer.assign(PLACES)
        self.starts = self.consumer.end_offsets(PLACES)

    def arrived(self) -> list:
        ends = self.consumer.end_offsets(PLACES)
        for place, start in self.starts.items():
            self.consumer.seek(place, start)
        wanted = sum(ends.values()) - sum(self.starts.values())
        found = [next(self.consumer) for _ in range(wanted)]
        self.consumer.close()
        return found


def command(*options: object) -> list[str]:
    return [sys.executable, str(PRODUCER), *map(str, options)]


def environ(stack: LocalStack) -> dict[str, str]:
    return {**os.environ, **stack.environment}


def test_what_goes_to_kafka_is_what_goes_to_a_file(stack, tmp_path):
    options = ("--events", 4000, "--seed", 21, "--duplicates", 0.05, "--invalid", 0.05, "--late", 0.05)
    assert subprocess.run(command(*options, "--output", tmp_path / "out"), capture_output=True).returncode == 0
    watch = Watch(stack)
    done = subprocess.run(command(*options), env=environ(stack), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    records = watch.arrived()
    assert Counter(r.value for r in records) == Counter((tmp_path / "out").read_bytes().splitlines())
    assert f"sent {len(records)} events" in done.stderr
    partitions = defaultdict(set)
    sent: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for r in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
        partitions[r.topic, r.key].add(r.partition)
        sent[r.topic, r.partition].append(r.value)
    assert all(len(found) == 1 for found in partitions.values()), "a user's events share a partition"
    order = {value: place for place, value in reversed(list(enumerate((tmp_path / "out").read_bytes().splitlines())))}
    for values in sent.values():
        firsts = [order[value] for value in dict.fromkeys(values) if value[:1] != b"["]  # all such faults are alike
        assert firsts == sorted(firsts), "in the order in which they were made"
    for r in records:
        try:
            user = json.loads(r.value)["user_id"]
        except (ValueError, TypeError, KeyError):
            continue  # a fault: its key is the user it was made of
        if isinstance(user, str) and len(user) < 100:
            assert r.key.decode() == user


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_delivers_what_it_said(stack, stop):
    watch = Watch(stack)
    process = subprocess.Popen(command("--rate", 2000), env=environ(stack), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while sum(watch.consumer.end_offsets(PLACES).values()) - sum(watch.starts.values()) < 500:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    process.send_signal(stop)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert f"sent {len(watch.arrived())} events" in said


def test_a_missing_topic_is_named_early(stack):
    servers = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.delete_topics(["profile_topic"])
    admin.close()
    try:
        done = subprocess.run(command("--events", 9), env=environ(stack), capture_output=True, text=True, timeout=30)
    finally:
        stack.up()  # makes it anew
    assert done.stderr == f"producer: topic profile_topic: must exist at {servers}; got none\n"
    assert done.returncode == 1


@pytest.fixture
def tight(stack) -> Iterator[None]:
    """The first topic takes small records only."""
    admin = KafkaAdminClient(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"])

    usual = topic_config(TOPICS["auth_topic"])
    ours = ConfigResourceType.TOPIC, "auth_topic"
    admin.alter_configs([ConfigResource(*ours, configs={**usual, "max.message.bytes": "100000"})])
    yield
    admin.alter_configs([ConfigResource(*ours, configs=usual)])
    admin.close()


def test_what_kafka_refuses_is_told(stack, tight):
    sink = KafkaSink(stack.settings)
    sink.send(("auth_topic", b"SV001", os.urandom(200_000)))
    with pytest.raises(SinkError, match=r"^Kafka at \S+: must take the events; got .*size too large"):
        sink.close()
    assert len(sink.failures) == 1 and not sink.acknowledged


def test_what_no_request_takes_is_told_at_once(stack):
    with pytest.raises(SinkError, match=r"^Kafka at \S+: must take the events; got .*size too large"):
        KafkaSink(stack.settings).send(("auth_topic", b"SV001", bytes(17 * 2**20)))
