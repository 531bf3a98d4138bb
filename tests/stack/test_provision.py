"""The command that makes topics and bucket, on a real Kafka and MinIO."""

from __future__ import annotations

import os
import subprocess
import sys

from catalogue.events import TOPICS
from deployment.local_stack import ROOT
from deployment.ports import free_port
from kafka import KafkaAdminClient


def provision(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deployment" / "provision.py"), *options]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=120)


def test_it_makes_what_is_missing_and_can_be_repeated(stack):
    for _ in range(2):
        done = provision(stack.environment)
        assert (done.returncode, done.stdout) == (0, "topics: there\nbucket: there\n"), done.stderr
    admin = KafkaAdminClient(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"])
    try:
        assert set(admin.list_topics()) >= set(TOPICS)
    finally:
        admin.close()


def test_it_names_what_it_can_not_make():
    nobody = {"MINIO_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    done = provision(nobody, "bucket", "--wait", "1")
    assert done.returncode == 1
    assert done.stderr.startswith("provision: bucket must be made within 1 s; got ")
    done = provision(nobody, "buckets")
    assert done.returncode == 2
    assert done.stderr.endswith("what to make must be one of topics, bucket; got 'buckets'\n")
