"""Ingestion that can't begin says in one line what is wrong, and nothing lands."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.storage.opening import open_store
from tests.stack.test_ingestion import LIMIT, SCRIPT, environment, ingest

WRONG = [
    ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", "Kafka: must answer at 127.0.0.1:1"),
    ("MINIO_ENDPOINT", "http://127.0.0.1:1", "127.0.0.1:1"),
    ("MINIO_ACCESS_KEY", "nobody", "MINIO_ACCESS_KEY"),
    ("MINIO_SECRET_KEY", "wrong-secret", "MINIO_SECRET_KEY"),
    ("QUARANTINE", "s3a://no-such-bucket/quarantine", "no-such-bucket"),
    ("MASTER_DATASET", "s3a://no-such-bucket/raw", "no-such-bucket"),
    ("MASTER_DATASET", "gopher://raw", "path must be local, file://, s3a:// or hdfs://"),
    ("SPARK_JARS", "/nonexistent", "SPARK_JARS must hold the Kafka source's jars"),
    ("INGEST_MAX_EVENTS", "none", "setting INGEST_MAX_EVENTS: must be a whole number"),
]


@pytest.fixture(scope="module")
def complaints(stack) -> dict[tuple[str, str], subprocess.CompletedProcess]:
    """What ingestion ends with where a setting has a value that is `WRONG`; some run side by side, as they wait."""

    def done(wrong: tuple[str, str, str]) -> tuple[tuple[str, str], subprocess.CompletedProcess]:
        setting, value, _ = wrong
        return (setting, value), ingest(environment(stack, "unreachable", **{setting: value}))

    with ThreadPoolExecutor(4) as side_by_side:
        return dict(side_by_side.map(done, WRONG))


@pytest.mark.parametrize(("setting", "value", "expected"), WRONG)
def test_what_is_wrong_is_named_in_one_line_and_nothing_lands(stack, complaints, setting, value, expected):
    done = complaints[setting, value]
    assert done.returncode == 1
    assert expected in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert open_store("s3a://bucket-0/unreachable", stack.settings).list() == []


def test_hdfs_out_of_reach_is_named(stack):
    environ = environment(stack, "unreachable", HDFS_HTTP_PORT="1")
    command = [sys.executable, str(SCRIPT.with_name("ingest_layer.py")), "--once"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1
    assert "HDFS_HTTP_PORT" in done.stderr and done.stderr.count("\n") == 1
