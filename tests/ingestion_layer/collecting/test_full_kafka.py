"""A broker whose disk is full, whose topic is gone or takes nothing so large: senders are told when to come again, or
that it is in vain; what was acknowledged is in Kafka, and what comes again is taken once it can be.

`tests/collector` has what takes longer: rights, replicas and quotas.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.ingestion_layer.collecting.conftest import LIMIT, Collector, Topics
from tests.ingestion_layer.collecting.sending import (
    answered,
    ids,
    impatient,
    later,
    noise,
    post,
    told,
    viewed,
)
from tests.ingestion_layer.collecting.small_kafka import SmallKafka, small_kafka
from tests.ingestion_layer.collecting.test_faults import login, played
from tests.ingestion_layer.collecting.test_xapi import statement


@pytest.fixture(scope="module")
def broker() -> Iterator[SmallKafka]:
    with small_kafka(128) as small:
        yield small


@pytest.fixture(scope="module")
def collector(broker: SmallKafka, tmp_path_factory) -> Iterator[Collector]:
    yield from impatient(broker, tmp_path_factory.mktemp("collector"))


@pytest.fixture
def topics(broker: SmallKafka) -> Topics:
    return Topics(broker.environment["KAFKA_BOOTSTRAP_SERVERS"])


def test_what_can_never_go_is_refused_for_good(broker, collector, topics):
    """Whether its topic's limit is known or comes to light by it; others' events go on, in batches of any size."""
    large = viewed(course_name=noise(200_000))
    unknown = statement(verb={"id": "https://example.org/verbs/nobody-knows"}, result={"response": noise(200_000)})
    small = [viewed(course_name=noise(500)) for _ in range(1000)]
    tight = {"max_message_bytes": 100_000}
    with broker.changed("course_topic", **tight), broker.changed("unmapped_topic", **tight):
        for _ in range(2):  # by Kafka's word, then by its known limit
            assert "at most" in answered(lambda: post(collector, large), 413, 422).text
            assert answered(lambda: told(collector, unknown), 413).json()["name"] == "body"
            answered(lambda: post(collector, login()))
            answered(lambda: told(collector, statement()))
        assert answered(lambda: post(collector, large), 422).json()["events"][0]["reason"] == "too_large"
        answered(lambda: post(collector, small))
    assert {one["event_id"] for one in small} <= set(ids(topics)) and large["event_id"] not in ids(topics)
    assert topics.unmapped() == []
    collector.kill()  # it reads limits at its start, and else twice a minute
    collector.start_again()
    assert answered(lambda: post(collector, large)).json()["accepted"] == 1
    answered(lambda: told(collector, unknown))
    assert [one["document"]["id"] for one in topics.unmapped()] == [unknown["id"]]


def test_a_topic_that_is_gone_and_comes_back(broker, collector):
    event = viewed()
    broker.drop("course_topic")
    try:
        assert later(post(collector, event))
        begun = time.monotonic()
        answered(lambda: post(collector, login()))
        assert post(collector, login()).status_code == 200 and time.monotonic() - begun < LIMIT / 2
    finally:
        broker.make("course_topic")
    topics = Topics(broker.environment["KAFKA_BOOTSTRAP_SERVERS"])
    topics.begin = {place: 0 if place.topic == "course_topic" else end for place, end in topics.begin.items()}
    answered(lambda: post(collector, event))
    assert event["event_id"] in ids(topics)


def test_a_full_disk(broker, collector, topics):
    """The broker ends when it can't write; what waits meanwhile is bounded, and all of it is taken afterwards."""
    kept = [viewed() for _ in range(20)]
    answered(lambda: post(collector, kept))
    broker.fill()
    waiting: list[dict[str, Any]] = []
    acknowledged: list[dict[str, Any]] = []
    answer = None
    deadline = time.monotonic() + LIMIT
    while answer is None or answer.status_code == 200:
        assert time.monotonic() < deadline, "no disk is that large"
        event = viewed(course_name=noise(500_000))
        answer = post(collector, event)
        (acknowledged if answer.status_code == 200 else waiting).append(event)
    person = str(uuid.uuid4())
    video = played("played", 1, "2026-03-02T08:00:00Z", person)
    assert later(answer) and later(told(collector, video))
    while len(waiting) < 30:
        waiting.append(viewed(course_name=noise(500_000)))
        assert later(post(collector, waiting[-1]))
    found = collector.client.get("/metrics").text
    [bytes_waiting] = [float(line.split()[1]) for line in found.splitlines() if line[:23] == "collector_waiting_bytes"]
    assert bytes_waiting < 32 * 2**20
    assert collector.client.get("/health/live").status_code == 200
    assert collector.client.get("/health/ready").status_code == 503
    broker.down()
    broker.ballast.unlink()
    broker.up()
    collector.wait()
    assert {one["event_id"] for one in [*kept, *acknowledged]} <= set(ids(topics))
    for event in waiting[:20]:
        answered(partial(post, collector, event))
    answered(lambda: told(collector, video))
    there = ids(topics)
    assert {one["event_id"] for one in [*kept, *acknowledged, *waiting[:20]]} <= set(there)
    assert there.count(video["id"]) >= 1
