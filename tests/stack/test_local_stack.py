"""The local stack with the real Kafka and the real MinIO."""

import os
import subprocess
import sys

from kafka.admin import ConfigResource, ConfigResourceType

from catalogue.events import TOPICS
from catalogue.storage import open_store
from deployment.local_stack import LocalStack
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition


def test_topics_and_bucket_survive_a_restart(tmp_path):
    stack = LocalStack(tmp_path, free_ports=True)
    try:
        stack.up()
        pids = [stack.running(name) for name in ("kafka", "minio")]
        stack.up()
        assert [stack.running(name) for name in ("kafka", "minio")] == pids, "a second start changes nothing"
        servers = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
        admin = KafkaAdminClient(bootstrap_servers=servers)
        assert {t["name"]: len(t["partitions"]) for t in admin.describe_topics(list(TOPICS))} == {
            t.name: t.partitions for t in TOPICS.values()
        }
        admin.close()
        producer = KafkaProducer(bootstrap_servers=servers)
        producer.send("auth_topic", b"hello", key=b"SV001", partition=0).get(10)
        producer.close()
        open_store("s3a://bucket-0/check", stack.settings).write("a", b"kept")
        stack.down()
        assert stack.running("kafka") is None and stack.running("minio") is None
        stack.up()
        consumer = KafkaConsumer(bootstrap_servers=servers, consumer_timeout_ms=15000, auto_offset_reset="earliest")
        consumer.assign([TopicPartition("auth_topic", 0)])
        record = next(consumer)
        assert (record.value, record.timestamp_type) == (b"hello", 1), "Kafka's own clock stamps arrivals"
        consumer.close()
        assert open_store("s3a://bucket-0/check", stack.settings).read("a") == b"kept"
    finally:
        stack.down()


def test_retention_is_the_catalogues(stack):
    admin = KafkaAdminClient(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"])
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS])
    admin.close()
    days = {name: found["topic"][name]["retention.ms"]["value"] for name in TOPICS}
    assert days == {
        t.name: "-1" if t.retention_days is None else str(t.retention_days * 86_400_000) for t in TOPICS.values()
    }


def test_a_missing_tool_is_named(tmp_path):
    environ = {**os.environ, "PATH": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path)}
    environ.pop("KAFKA_BOOTSTRAP_SERVERS", None)
    command = [sys.executable, "-m", "deployment.local_stack", "up", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("local_stack: ") and "Java" in done.stderr and "Compose" in done.stderr
    assert done.stderr.count("\n") == 1
