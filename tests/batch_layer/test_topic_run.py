"""A topic's run goes on from the published state only while the catalogue says what it said then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batch_layer.execution import here
from batch_layer.publication import publish
from batch_layer.topic_plan import plan
from batch_layer.topic_run import computed
from batch_layer.topic_task import TopicResult, TopicTask
from catalogue.at_rest.runs import state_folder
from runtime.settings import Settings
from runtime.storage.opening import open_store
from tests.oracle.histories import history, write_raw

TOPIC = "course_topic"


def result_of(*task: Any) -> TopicResult:
    with here(Settings.load({})) as engine:
        (result,) = computed([plan(TopicTask(*task))], engine)
    return result


@pytest.fixture
def stores(tmp_path):
    """Raw events and batch views with a published run `r1` over the first half of a history."""
    raw, views = open_store(str(tmp_path / "raw")), open_store(str(tmp_path / "views"))
    records = [r for r in history(7, 900) if r.topic == TOPIC]
    half = len(records) // 2
    write_raw(tmp_path / "raw", records[:half], tag="earlier")
    publish(views, "r1", [result_of(TOPIC, "r1", None, raw, views, 7)])
    write_raw(tmp_path / "raw", records[half:], tag="later")
    return raw, views


def test_more_events_are_added_to_the_state(stores):
    assert result_of(TOPIC, "r2", "r1", *stores, 7).base == "r1"


def test_a_changed_rule_means_to_recompute(stores):
    raw, views = stores
    path = f"{state_folder(TOPIC, 'r1')}/inputs.json"
    views.write(path, json.dumps(json.loads(views.read(path)) | {"rules": "others"}).encode())
    assert result_of(TOPIC, "r2", "r1", raw, views, 7).base is None


def test_a_state_of_an_earlier_form_means_to_recompute(stores):
    raw, views = stores
    path = f"{state_folder(TOPIC, 'r1')}/inputs.json"
    known = json.loads(views.read(path))
    del known["form"]
    views.write(path, json.dumps(known).encode())
    assert result_of(TOPIC, "r2", "r1", raw, views, 7).base is None


def test_another_horizon_means_to_recompute(stores):
    assert result_of(TOPIC, "r2", "r1", *stores, 6).base is None
