"""The local stack with the real Kafka and the real MinIO."""

import os
import pathlib
import socket
import subprocess
import sys

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from catalogue.events import TOPICS
from deployment import local_stack
from deployment.installation import StackError
from deployment.local_stack import LocalStack
from deployment.ports import free_ports
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from runtime.settings import Settings, keys_of
from runtime.storage.opening import open_store


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
        _another_process_knows(tmp_path, stack)
        stack.down()
        assert stack.running("kafka") is None and stack.running("minio") is None
        LocalStack(tmp_path, free_ports=True).up()
        consumer = KafkaConsumer(bootstrap_servers=servers, consumer_timeout_ms=15000, auto_offset_reset="earliest")
        consumer.assign([TopicPartition("auth_topic", 0)])
        record = next(consumer)
        assert (record.value, record.timestamp_type) == (b"hello", 1), "Kafka's own clock stamps arrivals"
        consumer.close()
        assert open_store("s3a://bucket-0/check", stack.settings).read("a") == b"kept"
        _no_key_is_told(tmp_path, stack)
    finally:
        stack.down()


def _no_key_is_told(folder, stack):
    """The keys are random, only their owner reads them, and neither logs nor command lines have them."""
    assert stack.settings.minio_secret_key != Settings.load({}).minio_secret_key
    assert stack.keys.stat().st_mode & 0o077 == 0
    told = [file.read_bytes() for file in (folder / "logs").iterdir()]
    told += [pathlib.Path(f"/proc/{stack.running(name)}/cmdline").read_bytes() for name in ("kafka", "minio")]
    for key in keys_of(stack.keys).values():
        assert not [text for text in told if key.encode() in text]


def _another_process_knows(folder, stack):
    """What another process says of the same folder's servers, and that it starts nothing."""
    again = "import pathlib, sys; from deployment.local_stack import LocalStack; "
    again += "LocalStack(pathlib.Path(sys.argv[1]), free_ports=True).up()"
    own = {name: text for name, text in os.environ.items() if name not in stack.environment}
    subprocess.run([sys.executable, "-c", again, folder], cwd=local_stack.ROOT, env=own, check=True, timeout=90)
    status = [sys.executable, "-m", "deployment.local_stack", "status", "--data", folder]
    done = subprocess.run(status, cwd=local_stack.ROOT, env=own, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    for name, address in ((n, stack.environment[setting]) for n, (setting, _) in local_stack.SERVERS.items()):
        assert f"{name}: {address} (process {stack.running(name)})" in done.stdout


def test_kept_ports_that_are_damaged_are_named(tmp_path, capsys):
    (tmp_path / "ports.json").write_text('{"kafka": 1}')
    assert local_stack.main(["status", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"local_stack: {tmp_path}/ports.json: must hold a port for each of kafka, ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("taken", ["console", "kafka_metrics"])
def test_a_taken_port_starts_nothing(tmp_path, taken):
    stack = LocalStack(tmp_path, free_ports=True)
    said = rf"port {stack.ports[taken]} \({taken}\): must be free"
    with socket.create_server(("127.0.0.1", stack.ports[taken])), pytest.raises(StackError, match=said):
        stack.up()
    assert stack.running("kafka") is stack.running("minio") is None and not (tmp_path / "kafka").exists()


def test_a_start_that_fails_stops_what_it_started(tmp_path):
    stack = LocalStack(tmp_path, free_ports=True)
    (tmp_path / "minio").write_text("a file where MinIO's folder must be")
    try:
        with pytest.raises(OSError, match="exists"):
            stack.up()
        assert (tmp_path / "kafka").exists() and stack.running("kafka") is None
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
        for name, key in keys_of(tmp_path / "local" / "keys.env").items():
            monkeypatch.setenv(name, key)
        used = LocalStack(tmp_path / "other", external=True)
        used.up()
        assert used.healthy() and used.running("kafka") is used.running("minio") is None, "used, not started"
    finally:
        monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        monkeypatch.delenv("MINIO_ENDPOINT", raising=False)
        assert said("down", 0) == ["kafka: stopped", "minio: stopped"]
    assert said("down", 0) == ["kafka: stopped", "minio: stopped"]
