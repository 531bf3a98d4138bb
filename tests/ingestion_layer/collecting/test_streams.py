"""Caliper, edX and Canvas as they are sent, and each answered as its sender needs."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from ingestion_layer.replay import Replay

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def envelope(*events: dict[str, Any], **changed: Any) -> dict[str, Any]:
    made = {
        "sensor": "https://lms.example/sensor",
        "sendTime": "2026-03-02T09:00:00.000Z",
        "dataVersion": "http://purl.imsglobal.org/ctx/caliper/v1p2",
        "data": list(events),
    }
    return {name: value for name, value in {**made, **changed}.items() if value is not ...}


def viewed(**changed: Any) -> dict[str, Any]:
    made = {
        "@context": "http://purl.imsglobal.org/ctx/caliper/v1p2",
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": "NavigationEvent",
        "actor": {"id": f"https://lms.example/users/{uuid.uuid4()}", "type": "Person"},
        "action": "NavigatedTo",
        "object": {"id": "https://lms.example/pages/1", "type": "WebPage"},
        "group": {"id": "https://lms.example/courses/7", "type": "CourseSection"},
        "eventTime": "2026-03-02T08:59:59.250Z",
        **changed,
    }
    return {name: value for name, value in made.items() if value is not ...}


def test_an_envelope_is_answered_by_an_empty_200(shared_collector, topics):
    sent = envelope(viewed(), viewed(), {"id": "https://lms.example/users/1", "type": "Person"})
    answers = [shared_collector.client.post("/caliper", json=sent) for _ in range(2)]
    assert [(a.status_code, a.content) for a in answers] == [(200, b"")] * 2
    assert {e["event_id"] for e in topics.events()} == {one["id"][9:] for one in sent["data"][:2]}
    assert len(topics.records()) == 2  # the second try brought nothing new


def test_lists_that_are_no_envelope(shared_collector, topics):
    assert shared_collector.client.post("/caliper", json=[viewed(), viewed()]).status_code == 200
    assert shared_collector.client.post("/caliper", json=[envelope(viewed())]).status_code == 200
    assert shared_collector.client.post("/caliper", json=viewed()).status_code == 200
    assert len(topics.events()) == 4


@pytest.mark.parametrize(
    "content, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 2000 + b"]" * 2000, 400),
        (b"7", 422),
        (b"[]", 422),
        (json.dumps(envelope()).encode(), 422),
        (json.dumps(envelope(viewed(), sensor=...)).encode(), 422),
        (json.dumps(envelope(viewed(), sendTime=...)).encode(), 422),
        (json.dumps(envelope(viewed(), dataVersion="http://purl.imsglobal.org/ctx/caliper/v2p0")).encode(), 422),
        (json.dumps(envelope(viewed(), data=7)).encode(), 422),
        (json.dumps(envelope(viewed(actor=...))).encode(), 422),
        (json.dumps(envelope(viewed(eventTime=7))).encode(), 422),
    ],
)
def test_what_is_no_caliper(shared_collector, topics, content, status):
    headers = {"Content-Type": "application/json"}
    answer = shared_collector.client.post("/caliper", content=content, headers=headers)
    assert answer.status_code == status and answer.json()["detail"]
    assert topics.records() == []


def test_caliper_is_json(shared_collector):
    answer = shared_collector.client.post("/caliper", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("standard, name", [("edx", "edx/tracking.log"), ("caliper", "caliper/events.jsonl")])
def test_a_day_comes_live_as_it_comes_from_a_file(shared_collector, topics, standard, name):
    path = SAMPLES / name
    lines = [line for line in path.read_bytes().splitlines() if line.startswith(b"{")]
    key = {"edx": "time", "caliper": "eventTime"}[standard]
    lines.sort(key=lambda line: str(json.loads(line).get(key) or json.loads(line).get("timestamp")))

    def post(batch: list[bytes]) -> int:
        content = b"\n".join(batch) if standard == "edx" else b"[" + b",".join(batch) + b"]"
        headers = {"Content-Type": "application/json"}
        return shared_collector.client.post(f"/{standard}", content=content, headers=headers).status_code

    for _ in range(2):  # and a second time, as a sender does that had no answer
        for start in range(0, len(lines), 7):
            batch = lines[start : start + 7]
            if post(batch) == 422:  # one that is no Caliper 1.1 spoils its list
                assert 422 in [post([line]) for line in batch]
    told = {(e["event_id"], e["event_type"]) for e in topics.events()}
    by_file = [json.loads(value) for _, _, value in Replay([path], standard)]
    assert len(by_file) > 20 and told == {(e["event_id"], e["event_type"]) for e in by_file}


def test_lines_that_are_no_events(shared_collector, topics):
    good = (SAMPLES / "edx" / "tracking.log").read_bytes().splitlines()[0]
    new = json.loads(good) | {"username": str(uuid.uuid4())}
    content = b'{"a": 1}\nnot json\n7\n"text"\n' + json.dumps(new).encode() + b"\n\n"
    answer = shared_collector.client.post("/edx", content=content)
    told = answer.json()
    assert answer.status_code == 200 and told["accepted"] == 1
    assert [one["line"] for one in told["invalid"]] == [1, 2, 3, 4]
    assert shared_collector.client.post("/edx", content=b"x\n").status_code == 422
    assert shared_collector.client.post("/edx", content=b"\n").status_code == 400
    assert len(topics.events()) == 1


def test_canvas_in_its_own_form_is_kept_whole(shared_collector, topics):
    own = {"metadata": {"event_name": "submission_created", "event_time": "2026-03-02T08:00:00Z"}, "body": {"id": "7"}}
    assert shared_collector.client.post("/canvas", json=own).status_code == 200
    assert shared_collector.client.post("/canvas", json=envelope(viewed())).status_code == 200
    assert [one["document"] for one in topics.unmapped()] == [own] and len(topics.events()) == 1
    assert shared_collector.client.post("/canvas", content=b"a.b.c").status_code == 501
