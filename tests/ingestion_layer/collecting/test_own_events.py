"""Our own events over HTTP: each answered for, and in Kafka when it is."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from catalogue.documents import example
from catalogue.events import EVENT_TYPES, TOPICS

TOPIC_OF = {e.name: t for t in TOPICS.values() for e in t.event_types}


def event(name: str = "LOGIN", **changed: Any) -> dict[str, Any]:
    made = {**example(TOPIC_OF[name], EVENT_TYPES[name]), "event_id": str(uuid.uuid4()), **changed}
    return {field: value for field, value in made.items() if value is not ...}


def lines(events: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in events) + b"\n"


def test_one_event_keeps_its_bytes(shared_collector, topics):
    body = json.dumps(event(note="naïve ☃", extra=[1, 2.50]), indent=2).encode()
    answer = shared_collector.client.post("/events", content=body)
    assert answer.status_code == 200 and answer.json()["accepted"] == 1
    [(topic, key, value)] = topics.records()
    assert (topic, key) == ("auth_topic", b"SV001")
    assert value == body.replace(b"\n", b" ") and json.loads(value) == json.loads(body)


@pytest.mark.parametrize("form", ["array", "lines", "typed lines", "gzip"])
def test_every_type_in_every_form(shared_collector, topics, form):
    sent = [event(name) for name in EVENT_TYPES]
    content, headers = lines(sent), {}
    if form == "array":
        content = json.dumps(sent).encode()
    elif form == "typed lines":
        headers = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    elif form == "gzip":
        content, headers = gzip.compress(content), {"Content-Encoding": "gzip"}
    answer = shared_collector.client.post("/events", content=content, headers=headers).json()
    assert answer["accepted"] == len(EVENT_TYPES)
    assert [one["event_id"] for one in answer["events"]] == [one["event_id"] for one in sent]
    arrived = topics.events()
    assert sorted(map(str, arrived)) == sorted(map(str, sent))


def test_each_event_has_its_answer(shared_collector, topics):
    good = event()
    sent: list[Any] = [
        good,
        {**good, "event_id": good["event_id"].upper()},
        event(user_id=""),
        event("GRADE_ASSIGNMENT", score=100.001),
        event(timestamp="1999-12-31 23:59:59"),
        event(event_type="NOTHING"),
        event(event_category="NOTHING"),
        event(event_id="x"),
        event("UPDATE_PROFILE", updated_fields=[]),
        event("VIDEO_WATCHED", watch_duration_seconds=-1),
        event("DOWNLOAD_MATERIAL", resource_id=..., material_id="MAT001"),
        event(role="visitor"),
        "text",
        None,
    ]
    answer = shared_collector.client.post("/events", content=json.dumps(sent).encode())
    told = answer.json()
    assert answer.status_code == 200 and (told["accepted"], told["duplicate"], told["invalid"]) == (2, 1, 11)
    found = [(one["status"], one.get("reason"), one.get("field")) for one in told["events"]]
    assert found == [
        ("accepted", None, None),
        ("duplicate", None, None),
        ("invalid", "bad_field", "user_id"),
        ("invalid", "bad_field", "score"),
        ("invalid", "timestamp_out_of_range", "timestamp"),
        ("invalid", "unknown_type", "event_type"),
        ("invalid", "wrong_category", "event_category"),
        ("invalid", "bad_event_id", "event_id"),
        ("invalid", "bad_field", "updated_fields"),
        ("invalid", "bad_field", "watch_duration_seconds"),
        ("accepted", None, None),
        ("invalid", "bad_field", "role"),
        ("invalid", "not_an_object", "body"),
        ("invalid", "not_an_object", "body"),
    ]
    assert len(topics.records()) == 2


@pytest.mark.parametrize(
    "content, headers, status",
    [
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"{", {}, 400),
        (b'"text"', {}, 400),
        (b"\xff\xfe", {}, 400),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (b"{}", {}, 422),
        pytest.param(b" " * (16 * 2**20 + 1), {}, 413, id="more than 16 MiB"),
        pytest.param(
            gzip.compress(b" " * 2**26, mtime=0), {"Content-Encoding": "gzip"}, 413, id="64 MiB when unpacked"
        ),
    ],
)
def test_what_is_no_event_is_refused_with_a_sentence(shared_collector, topics, content, headers, status):
    answer = shared_collector.client.post("/events", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if status != 422:
        assert answer.json().keys() == {"name", "detail"}
    assert topics.records() == []


def test_the_account_closes(shared_collector):
    def told(fate: str) -> float:
        text = shared_collector.client.get("/metrics").text
        name = f'collector_events_total{{fate="{fate}",source="anyone",standard="events"}}'
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    rng, fates = random.Random(7), ("received", "accepted", "duplicate", "rejected", "deferred")
    before = {fate: told(fate) for fate in fates}
    good = [event(timestamp=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}") for _ in range(20)]
    sent = rng.sample(good * 2 + [event(user_id=7) for _ in range(5)], 45)
    shared_collector.client.post("/events", content=lines(sent))
    after = {fate: told(fate) - before[fate] for fate in fates}
    assert after == {"received": 45, "accepted": 20, "duplicate": 20, "rejected": 5, "deferred": 0}
