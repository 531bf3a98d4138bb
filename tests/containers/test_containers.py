"""Our images as containers: who they run as, and that Kafka, MinIO and each process do their work in them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from kafka.errors import KafkaError

from batch_layer.publication import current
from catalogue.events import TOPICS
from catalogue.views import VIEWS
from deployment.images import engine
from deployment.images.build import IMAGES, build
from deployment.pins import image
from deployment.provision import create_bucket, create_topics
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from runtime.storage.opening import open_store
from tests.containers.conftest import eventually

PROCESSES = {
    "ingestion_layer/producer.py": "--events",
    "ingestion_layer/minio_ingest.py": "--once",
    "ingestion_layer/ingest_layer.py": "--once",
    "batch_layer/run_batch_jobs.py": "--full",
    "speed_layer/stream_layer.py": "--once",
    "serving_layer/serving_layer.py": "--port",
    "deployment/provision.py": "--replicas",
}
INSIDE = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:19092", "MINIO_ENDPOINT": "http://minio:9000"}


def test_minio_takes_conditional_writes(containers):
    _, _, settings = containers
    eventually("MinIO", lambda: create_bucket(settings) is None, BotoCoreError, ClientError)
    store = open_store("s3a://bucket-0/conditional", settings)
    store.create("one", b"first")
    with pytest.raises(FileExistsError):
        store.create("one", b"second")

    def attempt(number: int) -> bool:
        try:
            store.create("raced", str(number).encode())
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1, "one of eight writers wins"
    assert store.read("one") == b"first"


def test_kafka_has_our_topics_and_stamps_arrivals(containers):
    _, _, settings = containers
    eventually("Kafka", lambda: create_topics(settings) is None, KafkaError, OSError)
    producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    producer.send("auth_topic", b"hello", key=b"SV001", partition=0, timestamp_ms=1).get(30)
    producer.close()
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, consumer_timeout_ms=30000, auto_offset_reset="earliest"
    )
    assert {name: len(consumer.partitions_for_topic(name)) for name in TOPICS} == {
        topic.name: topic.partitions for topic in TOPICS.values()
    }
    consumer.assign([TopicPartition("auth_topic", 0)])
    record = next(consumer)
    consumer.close()
    assert (record.value, record.timestamp_type) == (b"hello", 1)
    assert record.timestamp > 1_700_000_000_000, "the broker's clock, not the sender's"


def test_platform_runs_each_process(containers, network):
    script = "set -e; " + "; ".join(f"echo @@ {name}; python {name} --help" for name in PROCESSES)
    told = platform(network, "bash", "-c", script)
    pages = {page.split("\n")[0].strip(): page for page in told.split("@@ ")[1:]}
    assert pages.keys() == PROCESSES.keys()
    for name, option in PROCESSES.items():
        assert option in pages[name]


def test_platform_takes_events_from_kafka_to_views(containers, network):
    _, _, settings = containers
    eventually("MinIO", lambda: create_bucket(settings) is None, BotoCoreError, ClientError)
    eventually("Kafka", lambda: create_topics(settings) is None, KafkaError, OSError)
    raw, views = "s3a://bucket-0/master_dataset", "s3a://bucket-0/batch_views"
    steps = (
        "python ingestion_layer/producer.py --events 300 --seed 1",
        "python ingestion_layer/minio_ingest.py --once",
        f"python batch_layer/run_batch_jobs.py {raw} {views}",
    )
    platform(network, "bash", "-c", " && ".join(steps))
    manifest, _ = current(open_store(views, settings))
    entries = [entry for partitions in manifest.ledger.values() for entry in partitions.values()]
    assert sum(entry["counted"] for entry in entries) == 300
    assert set(manifest.views) == set(VIEWS)


@pytest.mark.parametrize("name", ["platform", "minio", "kafka"])
def test_image_is_of_no_root_and_keeps_no_secret(name, network):
    found = json.loads(engine.docker("image", "inspect", image(name)))[0]["Config"]
    assert found["User"] not in ("", "0", "root")
    told = json.dumps(found["Env"]) + engine.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image(name))
    assert not [word for word in ("SECRET", "PASSWORD", "ACCESS_KEY", "TOKEN") if word in told]


def test_a_build_without_a_change_is_none(network):
    assert not any(build(name) for name in ("minio", "kafka", "platform"))
    assert {"platform", "ingestion", "minio", "kafka", "oozie"} <= IMAGES.keys()


def platform(network, *command: str) -> str:
    """What a command prints in the platform's image, on the network of Kafka and MinIO."""
    options = [f"--env={name}={value}" for name, value in INSIDE.items()]
    options += ["--env=MINIO_ACCESS_KEY=tests-access", "--env=MINIO_SECRET_KEY=tests-secret"]
    options += ["--env=SPARK_DRIVER_MEMORY=1g", "--memory=2g", "--read-only", "--tmpfs=/tmp:exec", "--cap-drop=ALL"]
    return engine.docker("run", "--rm", f"--network={network.name}", *options, image("platform"), *command, limit=240)
