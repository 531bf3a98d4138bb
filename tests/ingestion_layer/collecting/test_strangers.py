"""What the collector keeps from who has no key, and from who has another's: docs/security.md names these tests."""

from __future__ import annotations

import gzip
import json
import re
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from ingestion_layer.collecting.sources import Source, add_source
from runtime.storage.local import LocalStore
from tests.ingestion_layer.collecting.conftest import Collector

# Answered to everyone: they tell of nobody. `/metrics` counts, by the names of sources.
PUBLIC = {"/health/live", "/health/ready", "/metrics", "/xapi/about"}
RESOURCES = ("statements", "activities", "agents", "activities/state", "activities/profile", "agents/profile")
MOST_BYTES = 16 * 2**20


@pytest.fixture(scope="module")
def guarded(stack, tmp_path_factory) -> Iterator[Collector]:
    running = Collector(tmp_path_factory.mktemp("guarded"), stack.environment, AUTHENTICATION="required")
    try:
        yield running.wait()
    finally:
        running.stop()


def known(guarded: Collector, name: str, standard: str) -> dict[str, str]:
    """The headers of a new source, once the collector knows it."""
    key = add_source(LocalStore(guarded.folder / "sources"), Source(name, standard))
    headers = {"Authorization": f"Bearer {key}", "X-Experience-API-Version": "1.0.3"}
    deadline = time.monotonic() + 60
    while httpx.get(f"{guarded.address}/xapi/statements", headers=headers).status_code == 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return headers


def test_a_source_sees_nothing_of_another(guarded):
    mine, others = known(guarded, "mine", "xapi"), known(guarded, "others", "xapi")
    statements, profile = f"{guarded.address}/xapi/statements", f"{guarded.address}/xapi/agents/profile"
    actor = {"mbox": "mailto:a@example.org"}
    statement = {
        "id": str(uuid.uuid4()),
        "actor": actor,
        "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
        "object": {"id": "https://a.example/page"},
    }
    one = {"statementId": statement["id"]}
    assert httpx.put(statements, params=one, json=statement, headers=mine).status_code == 204
    place = {"agent": json.dumps(actor), "profileId": "bookmark"}
    new = {"If-None-Match": "*"}
    assert httpx.put(profile, params=place, json={"page": 3}, headers=mine | new).status_code == 204
    for headers, found in ((mine, 200), (others, 404)):
        assert httpx.get(statements, params=one, headers=headers).status_code == found
        assert httpx.get(profile, params=place, headers=headers).status_code == found
        listed = httpx.get(statements, params={"agent": json.dumps(actor)}, headers=headers).json()["statements"]
        assert [told["id"] for told in listed] == ([statement["id"]] if found == 200 else [])
    httpx.delete(profile, params=place, headers=others)
    assert httpx.get(profile, params=place, headers=mine).json() == {"page": 3}, "nor removes it"


def test_every_route_asks_for_a_key(guarded):
    """A route that somebody adds is closed, or named here."""
    version = {"X-Experience-API-Version": "1.0.3"}
    paths = httpx.get(f"{guarded.address}/openapi.json").json()["paths"]
    assert {"/events", "/caliper", "/edx", "/canvas"} <= paths.keys()
    asked = set()
    with httpx.Client(base_url=guarded.address, headers=version, timeout=60) as client:
        for path, operations in paths.items():
            for place in {re.sub(r"\{[^}]*\}", resource, path) for resource in RESOURCES}:
                for method in operations.keys() - {"options"}:  # a browser's question of CORS tells no key
                    status = client.request(method, place).status_code
                    closed = status == 401 or (status == 405 and place.startswith("/xapi/"))
                    assert closed == (place not in PUBLIC), (method, place, status)
                asked.add(place)
    assert {f"/xapi/{resource}" for resource in RESOURCES} <= asked


def test_a_body_that_unpacks_to_more_than_it_may_is_refused(guarded):
    headers = known(guarded, "own", "events") | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b" " * (8 * MOST_BYTES), 9)
    assert len(bomb) < MOST_BYTES / 50
    assert httpx.post(f"{guarded.address}/events", content=bomb, headers=headers, timeout=60).status_code == 413
