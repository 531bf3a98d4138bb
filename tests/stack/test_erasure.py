"""Somebody is erased while ingestion, speed and serving run over a real Kafka and MinIO."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.views import VIEWS
from catalogue.views.disclosure import disclosure
from deployment.local_stack import LocalStack
from deployment.persons.places import Places
from deployment.persons.remains import remains
from tests.oracle.validity import parse
from tests.stack.layers import ROOT, Layers, Oracle, ends, in_kafka

LEARN = Path(sys.executable).with_name("learn")
KEY = "a key for tests, of 32 characters or more"
IDENTITY = "s3a://bucket-0/layers/identity"
SETTINGS = {"INGEST_MAX_DELAY_SECONDS": "2", "ERASURE_KEY": KEY, "IDENTITY": IDENTITY, "SPARK_MASTER": "local[1]"}


@pytest.fixture
def layers(tmp_path):
    stack = LocalStack(tmp_path, free_ports=True)
    running = Layers(stack, tmp_path, **SETTINGS)
    try:
        stack.up()
        running.start("ingestion", "speed", "serving")
        yield running
    finally:
        running.stop()
        stack.down()


def produce(layers: Layers, seed: int) -> None:
    command = [
        sys.executable,
        "ingestion_layer/producer.py",
        "--events",
        "1500",
        "--students",
        "40",
        "--seed",
        str(seed),
    ]
    subprocess.run(command, cwd=ROOT, env=layers.environ, check=True, capture_output=True, timeout=300)


def test_a_person_leaves_a_platform_that_runs(layers):
    produce(layers, 1)
    layers.wait(ends(layers.stack))
    layers.run_batch()
    people = Counter(parse(r.value).get("user_id") for r in in_kafka(layers.stack))
    person = next(one for one, _ in people.most_common() if isinstance(one, str) and one.startswith("SV"))
    produce(layers, 2)

    command = [str(LEARN), "erase", "--user", person, "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=layers.environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    certificate = json.loads(done.stdout)
    assert certificate["remains"] == {} and certificate["kafka"] and person not in done.stdout
    assert all(log["earliest"] == 0 and "kafka-delete-records.sh" in log["removed_by"] for log in certificate["kafka"])

    produce(layers, 1)  # the same people once more
    layers.wait(ends(layers.stack), run=certificate["run"])
    oracle = Oracle([r for r in in_kafka(layers.stack) if not _names(r, person)])
    wrong = {}
    for view in VIEWS.values():
        rows, as_of = layers.read(view.name)
        column = disclosure(view).person
        assert not column or not any(row[column] == person for row in rows), view.name
        if found := oracle.wrong(view.name, rows, as_of):
            wrong[view.name] = found
    assert not wrong
    settings = replace(
        layers.stack.settings,
        erasure_key=KEY,
        identity=IDENTITY,
        **{name.lower(): place for name, place in layers.places.items()},
    )
    assert remains(Places.of(settings), [person])[0] == {}


def _names(record, person: str) -> bool:
    event = parse(record.value)
    return person in (event.get("user_id"), event.get("student_id") if record.topic == "assessment_topic" else None)
