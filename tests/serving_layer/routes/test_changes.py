"""Followers are told of what changed and of nothing else, and are no burden: bounded, gone when the server stops."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest

from catalogue.views import VIEWS
from serving_layer.errors import NotServing, TooMany
from serving_layer.query.coverage import Coverage
from serving_layer.state import changes as module
from serving_layer.state.changes import Changes
from tests.laws.micro_batch import published
from tests.laws.test_merged import Platform, opened
from tests.oracle.histories import history
from tests.serving_layer.conftest import Server, serving

STREAM = {"Accept": "text/event-stream"}
LIMIT = 60.0


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    platform = Platform(tmp_path, history(3, 400), 3)
    platform.run_batch(at_boundary=False)
    with serving(platform, POLL_SECONDS="0.1") as running:
        yield running


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """What the stream tells of what is served."""
    for name in lines:
        if name == "event: covers":
            line = next(lines)
            yield json.loads(line.removeprefix("data: "))


def take(platform: Platform, topic: str) -> None:
    """A micro-batch of everything that waits in one topic."""
    published(platform.speed, [r for r in platform.waiting() if r.topic == topic], Random(1))


def test_a_follower_is_told_of_the_views_that_changed(server):
    platform = server.platform
    with httpx.stream("GET", f"{server.address}/changes", headers=STREAM, timeout=LIMIT) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer.iter_lines())
        first = next(told)
        assert first["changed"] is None and first["run"] == "r001"
        take(platform, "video_topic")
        moved = next(event for event in told if event["changed"])
        assert moved["head"]["video_topic"] == platform.speed.head["video_topic"] != first["head"]["video_topic"]
        assert {VIEWS[name].topic for name in moved["changed"]} == {"video_topic"}
        assert "video_popularity" in moved["changed"]
        fresh = httpx.get(f"{server.address}/freshness", timeout=LIMIT).json()
        assert {name: fresh[name] for name in ("run", "head", "published_at")} == {
            name: moved[name] for name in ("run", "head", "published_at")
        }
        platform.run_batch(at_boundary=True)
        assert next(event for event in told if event["run"] == "r002")["changed"] is None


def test_without_asking_for_a_stream_one_event_is_the_answer(server):
    answer = httpx.get(f"{server.address}/changes", timeout=LIMIT)
    (event,) = events(iter(answer.text.splitlines()))
    assert event["changed"] is None and event["head"]


def test_a_server_that_stops_waits_for_no_stream(server):
    with httpx.stream("GET", f"{server.address}/changes", headers=STREAM, timeout=LIMIT) as answer:
        lines = answer.iter_lines()
        next(events(lines))
        started = time.monotonic()
        server.stop()
        assert not list(events(lines)) and time.monotonic() - started < module.LONGEST_SECONDS / 10


def test_there_is_room_for_so_many(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FOLLOWERS", 1)
    state = opened(Platform(tmp_path, history(3, 60), 3))

    async def two() -> None:
        changes = Changes(state, Coverage(state.heartbeat))
        changes.start()
        changes.check()
        first = changes.follow()
        await anext(first)
        assert b"covers" in await anext(first)
        with pytest.raises(NotServing, match="followers must be at most 1"):
            changes.check()
        changes.stop()
        assert [event async for event in first] == []
        changes.check()
        monkeypatch.setattr(module, "MOST_FOLLOWERS", 10)
        monkeypatch.setattr(module, "MOST_OF_ONE", 1)
        changes.start()
        own = changes.follow("student SV001")
        await anext(own)
        await anext(own)
        with pytest.raises(TooMany, match="at most 1 for one"):
            changes.check("student SV001")
        changes.check("student SV002")
        await own.aclose()
        changes.check("student SV001")
        changes.stop()

    try:
        asyncio.run(two())
    finally:
        state.stop()
