"""Nothing that was acknowledged is lost, and what is sent again counts once, whatever dies or is slow."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from deployment.ports import free_port
from tests.ingestion_layer.collecting.conftest import Collector

HEADERS = {"X-Experience-API-Version": "1.0.3"}
# Of a process that was told to end and did: by itself, or by the signal once all was done.
ENDED = (0, -signal.SIGTERM)
VIDEO = "https://w3id.org/xapi/video/"


@pytest.fixture
def collector(stack, tmp_path) -> Iterator[Collector]:
    """One that the test may break."""
    running = Collector(tmp_path, stack.environment, COLLECTOR_PATIENCE_SECONDS="2")
    try:
        yield running.wait()
    finally:
        running.stop()


def login(**changed: Any) -> dict[str, Any]:
    made = {"event_id": str(uuid.uuid4()), "event_category": "AUTH", "event_type": "LOGIN", "user_id": "SV001"}
    return {**made, "timestamp": "2026-03-02 08:15:00", "role": "student", "session_id": "S1", **changed}


def played(verb: str, second: float, moment: str, person: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"account": {"homePage": "https://lms.example", "name": person}},
        "verb": {"id": f"{VIDEO}verbs/{verb}"},
        "object": {"id": "https://lms.example/video/1", "definition": {"type": f"{VIDEO}activity-type/video"}},
        "result": {"extensions": {f"{VIDEO}extensions/time": second}},
        "context": {
            "registration": str(uuid.uuid5(uuid.NAMESPACE_URL, person)),
            "contextActivities": {"parent": [{"id": "https://lms.example/course/7"}]},
        },
        "timestamp": moment,
    }


def send(collector: Collector, statement: dict[str, Any]) -> int:
    address = f"{collector.address}/xapi/statements"
    return httpx.post(address, json=statement, headers=HEADERS, timeout=60).status_code


@pytest.mark.parametrize("route", ["events", "xapi/statements"])
def test_a_kill_loses_nothing_that_was_acknowledged(collector, topics, route):
    acknowledged: list[str] = []
    sent: list[list[dict[str, Any]]] = []
    killed = threading.Event()

    def post(batch: list[dict[str, Any]]) -> bool:
        try:
            answer = httpx.post(f"{collector.address}/{route}", json=batch, headers=HEADERS, timeout=60)
        except httpx.TransportError:
            return False
        if answer.status_code == 200:
            acknowledged.extend(str(one.get("event_id", one.get("id"))) for one in batch)
        return answer.status_code == 200

    def sender(name: str) -> None:
        number = 0
        while not killed.is_set():
            number += 1
            moment = f"2026-03-02T08:{number // 60 % 60:02}:{number % 60:02}.5Z"
            batch = [login() for _ in range(20)] if route == "events" else [played("played", number, moment, name)]
            sent.append(batch)
            if not post(batch):
                return

    threads = [threading.Thread(target=sender, args=(f"person-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while len(acknowledged) < (400 if route == "events" else 40) and time.monotonic() < deadline:
        time.sleep(0.01)
    collector.kill()
    killed.set()
    for thread in threads:
        thread.join(90)
    before = set(acknowledged)
    assert before
    collector.start_again()
    there = {event["event_id"] for event in topics.events()}
    assert before <= there
    for batch in sent:  # whoever had no answer sends again, and some who had one do too
        assert post(batch)
    events = topics.events()
    everything = {one.get("event_id", one.get("id")) for batch in sent for one in batch}
    assert {event["event_id"] for event in events if event["event_type"] != "VIDEO_WATCHED"} == everything
    values = {json.dumps(event, sort_keys=True) for event in events}
    ids = {event["event_id"] for event in events}
    assert len(values) == len(ids)  # repeated ones are the same to the letter, so that they count once
    seconds: Counter[str] = Counter()
    for value in values:
        told = json.loads(value)
        seconds[told["user_id"]] += told.get("watch_duration_seconds", 0)
    for person, watched in seconds.items():  # from its first play to its last, none lost and none twice
        plays = [e["position_seconds"] for e in events if e["user_id"] == person and "position_seconds" in e]
        assert not plays or watched == max(plays) - min(plays)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_playing_goes_on_after_an_end(collector, topics, end):
    person = str(uuid.uuid4())
    assert send(collector, played("played", 10, "2026-03-02T08:00:00Z", person)) == 200
    getattr(collector, end)()
    collector.start_again()
    pause = played("paused", 70, "2026-03-02T08:01:00Z", person)
    assert [send(collector, pause) for _ in range(2)] == [200, 200]
    found = Counter(event["event_type"] for event in topics.events())
    assert found == {"VIDEO_STARTED": 1, "VIDEO_PAUSED": 1, "VIDEO_WATCHED": 1}
    [watched] = [event for event in topics.events() if event["event_type"] == "VIDEO_WATCHED"]
    assert watched["watch_duration_seconds"] == 60


def test_senders_come_again_while_kafka_is_slow(collector, stack, topics):
    """A stopped broker takes nothing; what was offered to it arrives once it goes on."""
    broker = stack.running("kafka")
    person = str(uuid.uuid4())
    statement, event = played("played", 1, "2026-03-02T08:00:00Z", person), login()
    os.kill(broker, signal.SIGSTOP)
    try:
        answers = [
            httpx.post(f"{collector.address}/xapi/statements", json=statement, headers=HEADERS, timeout=60),
            httpx.post(f"{collector.address}/events", json=event, timeout=60),
            httpx.post(f"{collector.address}/xapi/statements", json=statement, headers=HEADERS, timeout=60),
            httpx.get(f"{collector.address}/health/ready", timeout=60),
        ]
        assert [answer.status_code for answer in answers] == [503] * 4
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
        other = {**statement, "verb": {"id": f"{VIDEO}verbs/paused"}}
        assert send(collector, other) in (409, 503)
    finally:
        os.kill(broker, signal.SIGCONT)
    collector.wait()
    deadline = time.monotonic() + 60
    while send(collector, statement) != 200:
        assert time.monotonic() < deadline
    assert httpx.post(f"{collector.address}/events", json=event, timeout=60).status_code == 200
    found = Counter(event["event_id"] for event in topics.events())
    assert found.keys() == {statement["id"], event["event_id"]} and found[statement["id"]] == 1


def test_who_leaves_before_the_answer_is_taken_at_their_word(collector, topics):
    """Whoever sends all of it and doesn't wait has sent it: it counts, and their second try doesn't count again."""
    person = str(uuid.uuid4())
    sent = [played("played", n, f"2026-03-02T08:00:{n:02}Z", person) for n in range(10)]
    for statement in sent:
        content = json.dumps(statement)
        head = f"POST /xapi/statements HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n"
        head += "Content-Type: application/json\r\nX-Experience-API-Version: 1.0.3\r\n\r\n"
        with socket.create_connection(("127.0.0.1", collector.port)) as leaving:
            leaving.sendall((head + content).encode())
    assert [send(collector, statement) for statement in sent] == [200] * 10
    found = Counter(event["event_id"] for event in topics.events() if event["event_type"] == "VIDEO_STARTED")
    assert found == {statement["id"]: 1 for statement in sent}


def large(chunked: bool) -> bytes | Iterator[bytes]:
    """20 MB; in chunks nothing tells that beforehand."""
    return iter([b" " * 2**20] * 20) if chunked else b" " * (20 * 2**20)


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("route", ["/events", "/xapi/statements", "/caliper", "/edx", "/canvas"])
def test_a_body_of_20_mb_is_refused(shared_collector, topics, route, chunked):
    headers = {**HEADERS, "Content-Type": "application/json"}
    try:
        status = shared_collector.client.post(route, content=large(chunked), headers=headers).status_code
    except httpx.TransportError:  # it may be cut off while it still sends
        status = 413
    assert status == 413 and topics.records() == []
    assert shared_collector.client.get("/health/ready").status_code == 200


def test_without_kafka_it_waits(tmp_path, stack):
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    alone = Collector(tmp_path, {**stack.environment, **nowhere})
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = alone.client.post("/events", json=login())
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert answer.status_code == 503 and answer.headers["Retry-After"] and answer.json()["name"] == "Kafka"
        assert alone.client.get("/health/live").status_code == 200
        assert alone.client.get("/health/ready").status_code == 503
        assert send(alone, played("played", 1, "2026-03-02T08:00:00Z", "x")) == 503
    finally:
        assert alone.stop() in ENDED


def test_a_second_collector_of_the_same_data_is_refused(collector, stack):
    other = Collector(collector.folder, stack.environment)
    assert other.process.wait(60) == 1


def test_what_waits_is_bounded_and_nobody_holds_a_place(stack, tmp_path):
    """A thousand connections that say nothing, bodies that never end, and one of 20 MB: others are answered."""
    tight = Collector(tmp_path, stack.environment, COLLECTOR_WAITING_BYTES=str(4 * 2**20)).wait()
    try:
        assert tight.client.post("/events", content=b" " * (20 * 2**20)).status_code in (413, 503)
        with ExitStack() as opened:
            for number in range(1000):
                silent = opened.enter_context(socket.create_connection(("127.0.0.1", tight.port)))
                if number % 10 == 0:
                    silent.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n[")
                else:
                    silent.sendall(b"POST /events HT")
            assert tight.client.post("/events", json=login()).status_code == 200
        left = f"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n{' ' * 1000000}".encode()
        for _ in range(20):  # senders that leave in the middle leave nothing behind
            with socket.create_connection(("127.0.0.1", tight.port)) as leaving:
                leaving.sendall(left)
        deadline = time.monotonic() + 60
        while "collector_waiting_bytes 0.0" not in tight.client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert tight.client.post("/events", json=login()).status_code == 200
    finally:
        tight.stop()


def test_a_stop_finishes_what_is_under_way(collector, topics):
    answers: list[int] = []
    batch = [login() for _ in range(2000)]
    thread = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{collector.address}/events", json=batch, timeout=60).status_code)
    )
    thread.start()
    deadline = time.monotonic() + 60
    while not topics.records() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert collector.stop() in ENDED
    thread.join(60)
    assert answers == [200] and len(topics.events()) == 2000
