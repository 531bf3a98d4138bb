"""The local stack with the real Kafka and the real MinIO."""

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from catalogue.events import TOPICS
from catalogue.storage import open_store
from deployment import local_stack
from deployment.installation import StackError
from deployment.local_stack import LocalStack
from deployment.ports import free_ports
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


def test_up_twice_status_and_down(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("MINIO_ENDPOINT", raising=False)
    monkeypatch.setattr(local_stack, "PORTS", free_ports(local_stack.PORTS))
    data = ["--data", str(tmp_path / "local")]

    def said(action: str, status: int) -> list[str]:
        assert local_stack.main([action, *data]) == status
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith(("kafka: ", "minio: "))]

    assert said("status", 1) == ["kafka: stopped", "minio: stopped"]
    try:
        first = said("up", 0)
        assert [line.split(":")[0] for line in first] == ["kafka", "minio", "kafka", "minio"], "started, then running"
        running = said("up", 0)
        assert running == first[2:] == said("status", 0), "a second start changes nothing"
        other = LocalStack(tmp_path / "other", external=True)
        with pytest.raises(StackError, match=r"port \d+ \(kafka\): must be free; .* set KAFKA_BOOTSTRAP_SERVERS"):
            other.up()
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", other.environment["KAFKA_BOOTSTRAP_SERVERS"])
        with pytest.raises(StackError, match=r"port \d+ \(minio\): must be free; .* set MINIO_ENDPOINT"):
            LocalStack(tmp_path / "other", external=True).up()
        monkeypatch.setenv("MINIO_ENDPOINT", other.environment["MINIO_ENDPOINT"])
        used = LocalStack(tmp_path / "other", external=True)
        used.up()
        assert used.healthy() and used.running("kafka") is used.running("minio") is None, "used, not started"
    finally:
        monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        monkeypatch.delenv("MINIO_ENDPOINT", raising=False)
        assert said("down", 0) == ["kafka: stopped", "minio: stopped"]
    assert said("down", 0) == ["kafka: stopped", "minio: stopped"]
