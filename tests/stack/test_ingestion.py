"""Ingestion on the real Kafka, MinIO and Spark: everything lands once, whatever happens to the process."""

import base64
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.at_rest.raw_files import commits, landed_head, newest_commit
from catalogue.events.unmapped import COLLECTED
from deployment.local_stack import LocalStack
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from tests.conftest import running_stack

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ingestion_layer" / "minio_ingest.py"
LIMIT = 400
# For what is left when the small commits of a test have told what they had to.
LARGE_COMMITS = {"INGEST_MAX_EVENTS": "100000"}


def environment(stack: LocalStack, name: str, **more: str) -> dict[str, str]:
    places = {"MASTER_DATASET": f"s3a://bucket-0/{name}/raw", "QUARANTINE": f"s3a://bucket-0/{name}/quarantine"}
    return {**os.environ, **stack.environment, **places, **more}


def ingest(environ: dict[str, str]) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), "--once"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT)


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[LocalStack]:
    """One of its own: each test takes in all that Kafka holds, in commits that are small on purpose."""
    yield from running_stack(tmp_path_factory)


def produce(stack: LocalStack, values: list[bytes], topic: str = "video_topic") -> None:
    producer = KafkaProducer(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"], linger_ms=5)
    for number, value in enumerate(values):
        producer.send(topic, value, key=f"SV{number % 50:03}".encode())
    producer.flush()
    producer.close()


GOOD = {
    "event_category": "VIDEO",
    "event_type": "VIDEO_WATCHED",
    "user_id": "SV001",
    "timestamp": "2026-03-01 10:00:00",
    "video_id": "Vidéo",
    "course_id": "C",
    "watch_duration_seconds": 5,
}
VALUES = [json.dumps(GOOD, indent=1).encode(), b"{}", b"nope", b"\xff\xfe", b"[1]"]
UNMAPPED = json.dumps({"standard": "xapi", "reason": "pondered: no event", "document": {"a": [1]}}).encode()


@pytest.fixture(scope="module")
def taken_in(stack) -> dict[str, str]:
    """The settings of an ingester that has taken in what Kafka held, `VALUES` and `UNMAPPED` among it."""
    environ = environment(stack, "taken_in")
    produce(stack, VALUES)
    produce(stack, [UNMAPPED], "unmapped_topic")
    produce(stack, [b'{"n":1}'] * 50, "profile_topic")
    done = ingest(environ)
    assert done.returncode == 0, done.stderr
    return environ


def copied(stack: LocalStack, environ: dict[str, str], name: str) -> dict[str, str]:
    """The settings of one with the same in places of its own."""
    own = environment(stack, name)
    for place in ("MASTER_DATASET", "QUARANTINE"):
        source, target = (open_store(one[place], stack.settings) for one in (environ, own))
        for entry in source.list():
            target.write(entry.path, source.read(entry.path))
    return own


def lines(store: Store) -> list[dict]:
    files = [e.path for e in store.list("topic=")]
    return [json.loads(line) for path in files for line in gzip.decompress(store.read(path)).splitlines()]


def places(store: Store) -> list[tuple[str, int, int]]:
    """Topic, partition and offset of each line."""
    return [(line["topic"], line["partition"], line["offset"]) for line in lines(store)]


def in_kafka(stack: LocalStack) -> dict[tuple[str, int, int], bytes]:
    consumer = KafkaConsumer(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"], consumer_timeout_ms=3000)
    places = [TopicPartition(t.name, p) for t in COLLECTED.values() for p in range(t.partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    held = sum(consumer.end_offsets(places).values()) - sum(consumer.beginning_offsets(places).values())
    found: dict[tuple[str, int, int], bytes] = {}
    while len(found) < held:
        record = next(consumer)
        found[record.topic, record.partition, record.offset] = record.value
    consumer.close()
    return found


def is_object(value: bytes | None) -> bool:
    """Whether a record's value is a JSON object; other tests send broken ones."""
    try:
        return isinstance(json.loads(value or b""), dict)
    except ValueError:
        return False


def test_bytes_are_kept_and_faults_are_quarantined(stack, taken_in):
    environ = copied(stack, taken_in, "bytes")
    settings = stack.settings
    raw = open_store(environ["MASTER_DATASET"], settings)
    texts = [
        line
        for entry in raw.list("topic=video_topic/")
        for line in gzip.decompress(raw.read(entry.path)).decode().splitlines()
    ]
    assert any(text.endswith('"value":' + VALUES[0].decode().replace("\n", " ") + "}") for text in texts)
    kept = {
        base64.b64decode(q["value"]) if q.get("value_encoding") else q["value"].encode(): q["reason"]
        for q in lines(open_store(environ["QUARANTINE"], settings))
    }
    assert {value: kept.get(value) for value in VALUES} == {
        VALUES[0]: None,
        b"{}": "wrong_category",
        b"nope": "not_an_object",
        b"\xff\xfe": "not_utf8",
        b"[1]": "not_an_object",
    }
    assert kept[UNMAPPED] == "unmapped" and any(
        line["topic"] == "unmapped_topic" and line["value"]["document"] == {"a": [1]} for line in lines(raw)
    )
    newest = newest_commit(raw)
    for entry in (e for partitions in newest.total.values() for e in partitions.values()):
        assert entry["read"] == entry["landed"] + entry["unparseable"]
    before = raw.list()
    assert ingest(environ).returncode == 0
    assert raw.list() == before, "caught up: nothing changes"


@contextmanager
def arriving(stack: LocalStack) -> Iterator[None]:
    """Events come in all the while, some hundreds a second, so that each commit has some and the next one too."""
    enough = threading.Event()

    def send() -> None:
        servers = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
        with closing(KafkaProducer(bootstrap_servers=servers)) as producer:
            while not enough.wait(0.2):
                for n in range(50):
                    producer.send("course_topic", json.dumps({"n": n}).encode(), key=f"SV{n:03}".encode())
                producer.flush()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def committing(environ: dict[str, str]) -> subprocess.Popen:
    """An ingester that has committed and is at something, at whatever moment of it."""
    command = [sys.executable, str(SCRIPT)]
    begun = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert begun.stderr
    while "msg=committed commit=" not in (line := begun.stderr.readline()):
        assert line, "must commit"
    time.sleep(random.uniform(0.0, 1.5))
    return begun


def test_however_an_ingester_ends_nothing_is_lost_or_doubled(stack):
    """By SIGKILL, as another one took over while it was believed dead, and by a signal to its whole group.

    `make test-faults` kills it more often, beside the other layers.
    """
    environ = environment(stack, "ends", INGEST_MAX_EVENTS="500", INGEST_MIN_EVENTS="0")
    produce(stack, [json.dumps({"n": n}).encode() for n in range(6_000)], "course_topic")
    with arriving(stack):
        killed = committing(environ)
        killed.kill()
        killed.communicate()

        believed_dead = committing(environ)
        believed_dead.send_signal(signal.SIGSTOP)
        later = committing(environ)
        believed_dead.send_signal(signal.SIGCONT)
        _, said = believed_dead.communicate(timeout=60)
        assert believed_dead.returncode == 1 and "another ingester made it; only one may run" in said, said
        assert said.count("level=error") == 1 and "Traceback" not in said

        os.killpg(later.pid, signal.SIGTERM)
        _, said = later.communicate(timeout=LIMIT)
        assert later.returncode == 0 and "ingestion.py" not in said, said  # PySpark's own threads may complain
    assert ingest(environ | LARGE_COMMITS).returncode == 0
    raw, quarantine = (open_store(environ[n], stack.settings) for n in ("MASTER_DATASET", "QUARANTINE"))
    held, landed, kept = in_kafka(stack), places(raw), places(quarantine)
    assert sorted(landed) == sorted(place for place, value in held.items() if is_object(value))
    assert len(kept) == len(set(kept)), "quarantined twice"
    sent = {place for place, value in held.items() if (value or b"").startswith(b'{"n": ')}
    assert len(sent) > 6_000 and sent <= set(kept)
    named = [file.path for commit in commits(raw) for file in commit.files]
    assert sorted(named) == [e.path for e in raw.list("topic=")]


def test_a_gap_is_named(stack, taken_in):
    environ = copied(stack, taken_in, "gap")
    raw = open_store(environ["MASTER_DATASET"], stack.settings)
    newest = newest_commit(raw)
    newest.head["video_topic"]["0"] = 10**6
    later = replace(newest, commit=newest.commit + 1)
    raw.write(later.path, later.encoded())
    done = ingest(environ)
    assert done.returncode == 1
    assert "video_topic partition 0: Kafka must reach offset 1000000" in done.stderr


def test_records_that_kafka_dropped_are_named(stack, taken_in):
    environ = copied(stack, taken_in, "dropped")
    raw = open_store(environ["MASTER_DATASET"], stack.settings)
    head = landed_head(raw)["profile_topic"]["0"]
    before = raw.list()
    produce(stack, [b'{"n":2}'] * 50, "profile_topic")
    place = TopicPartition("profile_topic", 0)
    admin = KafkaAdminClient(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"])
    admin.delete_records({place: head + 3})
    admin.close()
    done = ingest(environ)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    said = f"profile_topic partition 0: offsets {head} to {head + 2} are gone from Kafka and were never taken from it"
    assert said in done.stderr
    assert raw.list() == before
