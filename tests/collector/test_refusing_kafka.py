"""Topics that lack a replica, rights or a quota: their events wait, and hold up no others'."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from functools import partial

import pytest

from tests.ingestion_layer.collecting.conftest import Collector, Topics
from tests.ingestion_layer.collecting.sending import (
    PATIENCE,
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
def second(broker: SmallKafka, tmp_path_factory) -> Iterator[subprocess.Popen[bytes]]:
    with broker.second(tmp_path_factory.mktemp("second")) as running:
        yield running


@pytest.fixture(scope="module")
def collector(broker: SmallKafka, second: object, tmp_path_factory) -> Iterator[Collector]:
    yield from impatient(broker, tmp_path_factory.mktemp("collector"))


@pytest.fixture
def topics(broker: SmallKafka) -> Topics:
    return Topics(broker.environment["KAFKA_BOOTSTRAP_SERVERS"])


def test_a_topic_that_refuses_holds_up_no_other(broker, second, collector, topics):
    """Its events and its source's statements wait; others' are taken, and the collector counts as ready."""
    course, auth = viewed(), login()
    page, video = statement(), played("played", 1, "2026-03-02T08:00:00Z", str(uuid.uuid4()))
    with broker.lacking_replica("course_topic", second):
        assert later(post(collector, course))
        begun = time.monotonic()
        assert later(post(collector, course)) and time.monotonic() - begun < PATIENCE, "it waits for nobody twice"
        for _ in range(3):
            assert post(collector, auth).status_code == 200
            assert collector.client.get("/health/ready").status_code == 200
            time.sleep(PATIENCE / 3)
        assert later(post(collector, [login(), viewed()])), "what can't be taken whole isn't acknowledged"
        assert later(told(collector, page)) and later(told(collector, video))
        assert course["event_id"] not in ids(topics)
    answered(lambda: post(collector, course))
    answered(lambda: told(collector, page))
    answered(lambda: told(collector, video))
    assert {course["event_id"], auth["event_id"], page["id"], video["id"]} <= set(ids(topics))


def test_a_topic_that_nobody_may_write_to(broker, collector, topics):
    """Its events are refused for now, however often they are tried, and hardly ever at others' cost."""
    course = viewed()
    with broker.without_right("course_topic"):
        for _ in range(3):
            assert later(post(collector, course))
        for _ in range(5):
            answered(lambda: post(collector, login()))
            assert later(post(collector, course))
        assert course["event_id"] not in ids(topics)
    answered(lambda: post(collector, course))
    assert course["event_id"] in ids(topics)


def test_a_client_that_may_send_little_is_slow_and_loses_nothing(broker, collector, topics):
    """Kafka answers late to who sends more than its quota."""
    sent = []
    with broker.quota(100_000):
        for _ in range(5):
            sent.append(viewed(course_name=noise(150_000)))
            answer = post(collector, sent[-1])
            assert answer.status_code == 200 or later(answer)
    for event in sent:
        answered(partial(post, collector, event))
    assert {event["event_id"] for event in sent} <= set(ids(topics))
