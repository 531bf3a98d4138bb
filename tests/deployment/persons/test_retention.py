"""What is older than its topic is kept goes; what was counted of it stays until a topic is computed anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from starlette.requests import Request

from batch_layer.publication import publish
from batch_layer.run_batch_jobs import compute, new_run
from catalogue.at_rest.runs import current
from catalogue.events import JOBS, TOPICS
from deployment.persons.retention import RetentionError, retain
from serving_layer.disclosure.chains import shown_of
from serving_layer.disclosure.recorder import Recorder
from serving_layer.identity.viewer import Viewer
from tests.deployment.persons.keeping import Kept
from tests.laws.test_merged import check, opened
from tests.oracle.histories import START, history, landed, write_raw

ASKED = Request({"type": "http", "headers": []})
TOPIC = "notification_topic"
FIRST_KEPT = START.date() + dt.timedelta(days=4)
TODAY = FIRST_KEPT + dt.timedelta(days=TOPICS[TOPIC].retention_days or 0)


def settled(platform: Kept) -> None:
    """The answers of a server that starts now are the oracle's over the platform's records."""
    state = opened(platform)
    try:
        check(platform, state)
    finally:
        state.stop()


def test_states_keep_what_raw_has_lost_until_they_are_made_anew(tmp_path):
    records = history(4, 300)
    platform = Kept(tmp_path, records, 4)
    platform.ingest(0.7)
    platform.run()
    before = retain(platform.places, dry_run=True, today=TODAY)
    assert before.raw and before.quarantine and not before.waiting
    assert retain(platform.places, today=TODAY) == before
    assert retain(platform.places, today=TODAY).raw == []
    lost = [r for r in landed(records) if r.topic == TOPIC and r.kafka_timestamp.date() < FIRST_KEPT]
    assert lost and not any(f"/date={r.kafka_timestamp.date()}" in e.path for r in lost
                            for e in platform.places.raw.list(f"topic={TOPIC}/"))  # fmt: skip

    platform.ingest(1.0)
    platform.run()
    settled(platform)  # an increment still says everything
    assert current(platform.batch)[0].begins == {}

    run = new_run()
    publish(platform.batch, run, compute(run, list(JOBS), True, platform.places.raw, platform.batch, platform.settings))
    begins = current(platform.batch)[0].begins
    assert set(begins) == {TOPIC}
    platform.records = [r for r in records if r.offset >= begins.get(r.topic, {}).get(str(r.partition), 0)]
    assert len(platform.records) < len(records)
    settled(platform)


def test_what_no_run_covers_stays(tmp_path):
    platform = Kept(tmp_path, history(4, 200), 4)
    platform.ingest(1.0)
    found = retain(platform.places, today=TODAY)
    assert found.raw == [] and found.waiting and all(platform.places.raw.etag(path) for path in found.waiting)


def test_runs_and_deltas_go_too(tmp_path):
    platform = Kept(tmp_path, history(4, 200), 4)
    platform.ingest(0.5)
    first = platform.run()
    platform.micro_batch(1.0)
    platform.ingest(1.0)
    last = platform.run()
    far = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=400)
    found = retain(platform.places, today=far)
    assert found.runs == [first] and current(platform.batch)[0].run == last
    assert found.deltas == [1] and platform.speed_store.list("data/") == []


def test_what_was_shown_goes_after_its_own_days(tmp_path):
    platform = Kept(tmp_path, history(4, 50), 4)
    platform.ingest(1.0)
    days = platform.settings.disclosure_days
    log = Recorder(replace(platform.settings, authentication="required"))
    log.note(Viewer("lecturer", "GV001", credential="key 1"), "view", ("SV001",), {"run": "r1", "head": {}}, ASKED)
    log.write()
    today = dt.datetime.now(dt.UTC).date()
    assert retain(platform.places, today=today + dt.timedelta(days=days)).shown == []
    assert shown_of(platform.places.disclosure, "SV001")
    late = today + dt.timedelta(days=days + 2)
    assert retain(platform.places, dry_run=True, today=late).shown and shown_of(platform.places.disclosure, "SV001")
    assert retain(platform.places, today=late).shown and shown_of(platform.places.disclosure, "SV001") == []


def test_events_of_another_tool_s_making_are_not_touched(tmp_path):
    platform = Kept(tmp_path, history(4, 50), 4)
    platform.settings = replace(platform.settings, master_dataset=str(tmp_path / "foreign"))
    write_raw(tmp_path / "foreign", platform.records)
    platform.places = type(platform.places).of(platform.settings)
    with pytest.raises(RetentionError, match="raw events must be landed by ingestion"):
        retain(platform.places, today=TODAY)
