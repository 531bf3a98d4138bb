"""Requests of real systems, recorded in form in `senders/`: each is answered as its sender needs, and makes its events.

A file has a `sender`, what it `needs`, the `source` as which it is declared, its `requests` in their order with what
must be answered (`again`: the second time, where that differs; `once`: it isn't sent again), the `events` that come
out of all of them, with some of their fields, and what of each document that no mapping knows says which one it is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion_layer.collecting.sources import Source, add_source
from runtime.storage.local import LocalStore
from tests.ingestion_layer.collecting.conftest import LIMIT, Collector, Topics

RECORDED = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "senders").glob("*.json")
}
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Senders:
    """A collector that knows every sender, and their keys."""

    def __init__(self, folder: Path, environ: dict[str, str]):
        store = LocalStore(folder / "sources")
        self.keys = {}
        for name, told in RECORDED.items():
            source = told["source"]
            declared: dict[str, Any] = {**source, "origins": tuple(source.get("origins", ()))}
            self.keys[name] = add_source(store, Source(name, **declared))
        self.collector = Collector(folder, environ, AUTHENTICATION="required")

    def send(self, name: str, request: dict[str, Any]) -> httpx.Response:
        """What a request of a sender is answered."""
        key = self.keys[name]
        basic = base64.b64encode(f"{name}:{key}".encode()).decode()
        real = {"$basic": f"Basic {basic}", "$bearer": f"Bearer {key}"}
        headers = {field: real.get(text, text) for field, text in request["headers"].items()}
        content = request.get("text", "").encode()
        if "json" in request:
            content = json.dumps(request["json"]).encode()
        fields = {field: real.get(text, text) for field, text in request.get("form", {}).items()}
        if fields:
            content = str(httpx.QueryParams(fields)).encode()
        return httpx.request(
            request["method"],
            self.collector.address + request["target"],
            headers=headers,
            content=content,
            timeout=LIMIT,
        )


@pytest.fixture(scope="module")
def senders(stack, tmp_path_factory) -> Iterator[Senders]:
    """One for all of them."""
    running = Senders(tmp_path_factory.mktemp("senders"), stack.environment)
    try:
        running.collector.wait()
        yield running
    finally:
        running.collector.stop()


def check(answer: httpx.Response, wanted: dict[str, Any], what: str) -> None:
    """AssertionError where an answer isn't what its sender needs."""
    assert answer.status_code == wanted["status"], (what, answer.status_code, answer.text)
    if "ids" in wanted:
        told = answer.json()
        assert isinstance(told, list) and len(set(told)) == len(told) == wanted["ids"], (what, told)
        assert all(len(one) == 36 and ID.fullmatch(one) for one in told), (what, told)
    if "json" in wanted:
        assert answer.json() == wanted["json"], what
    if "text" in wanted:
        assert answer.text == wanted["text"], what
    for name, text in wanted.get("headers", {}).items():
        found = answer.headers.get(name)
        assert found == text or (text == "*" and found), (what, name, found)


def lacking(expected: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The expected ones that no event is; each event stands for one."""
    left, missing = list(events), []
    for wanted in expected:
        found = next((one for one in left if wanted.items() <= one.items()), None)
        if found is None:
            missing.append(wanted)
        else:
            left.remove(found)
    return missing


def account(senders: Senders, name: str) -> dict[str, float]:
    """How many events of a sender came to which end."""
    fates: dict[str, float] = {}
    line = rf'collector_events_total\{{fate="(\w+)",source="{name}",standard="\w+"\}} ([0-9.e+]+)'
    for fate, value in re.findall(line, senders.collector.client.get("/metrics").text):
        fates[fate] = fates.get(fate, 0) + float(value)
    return fates


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_sender_is_answered_as_it_needs(senders: Senders, topics: Topics, name: str):
    told = RECORDED[name]
    for request in told["requests"]:
        check(senders.send(name, request), request["answer"], request["what"])
    events, unmapped = topics.events(), topics.unmapped()
    assert lacking(told["events"], events) == [] and len(events) == len(told["events"]), events
    assert len(unmapped) == len(told["unmapped"]), unmapped
    for wanted in told["unmapped"]:
        [kept] = [one for one in unmapped if wanted in json.dumps(one["document"])]
        assert (kept["source"], kept["standard"]) == (name, told["source"]["standard"]) and kept["reason"]
    for request in told["requests"]:  # as a sender does that had no answer
        if not request.get("once"):
            check(senders.send(name, request), request.get("again", request["answer"]), f"{request['what']}, again")
    assert sorted(map(str, topics.events())) == sorted(map(str, events)), "nothing counts twice"
    assert len(topics.unmapped()) == len(unmapped)
    fates = account(senders, name)
    assert fates.pop("received") == sum(fates.values()) > 0 == fates.get("deferred", 0), fates
