"""A topic's run goes on from the published state only while the catalogue says what it said then."""

from __future__ import annotations

import json

import pytest

from batch_layer.publication import publish
from batch_layer.topic_run import TopicRun
from catalogue.at_rest.runs import state_folder
from runtime.storage.opening import open_store
from tests.oracle.histories import history, write_raw

TOPIC = "course_topic"


@pytest.fixture
def stores(tmp_path):
    """Raw events and batch views with a published run `r1` over the first half of a history."""
    raw, views = open_store(str(tmp_path / "raw")), open_store(str(tmp_path / "views"))
    records = [r for r in history(7, 900) if r.topic == TOPIC]
    half = len(records) // 2
    write_raw(tmp_path / "raw", records[:half], tag="earlier")
    publish(views, "r1", [TopicRun(TOPIC, "r1", None, raw, views, 7).compute()])
    write_raw(tmp_path / "raw", records[half:], tag="later")
    return raw, views


def test_more_events_are_added_to_the_state(stores):
    assert TopicRun(TOPIC, "r2", "r1", *stores, 7).compute().base == "r1"


def test_a_changed_rule_means_to_recompute(stores):
    raw, views = stores
    path = f"{state_folder(TOPIC, 'r1')}/inputs.json"
    views.write(path, json.dumps(json.loads(views.read(path)) | {"rules": "others"}).encode())
    assert TopicRun(TOPIC, "r2", "r1", raw, views, 7).compute().base is None


def test_a_state_of_an_earlier_form_means_to_recompute(stores):
    raw, views = stores
    path = f"{state_folder(TOPIC, 'r1')}/inputs.json"
    known = json.loads(views.read(path))
    del known["views"]
    views.write(path, json.dumps(known).encode())
    assert TopicRun(TOPIC, "r2", "r1", raw, views, 7).compute().base is None


def test_another_horizon_means_to_recompute(stores):
    assert TopicRun(TOPIC, "r2", "r1", *stores, 6).compute().base is None
