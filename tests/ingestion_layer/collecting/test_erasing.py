"""Who is erased leaves the collector's disk and memory, and nothing that comes of them later stays; others' stays."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalogue.at_rest.collectors import read_collectors
from catalogue.at_rest.erasures import Erasures, add_people, keyed_hash
from ingestion_layer.collecting.people import ids_of, relieved
from runtime.storage.local import LocalStore
from tests.ingestion_layer.collecting.conftest import LIMIT, Collector
from tests.ingestion_layer.collecting.test_faults import HEADERS, played
from tests.ingestion_layer.collecting.test_streams import envelope, viewed

KEY = "a key for tests, of 32 characters or more"
HOME = "https://lms.example"
ROBIN, OTHER = {"account": {"homePage": HOME, "name": "robin"}}, {"account": {"homePage": HOME, "name": "kim"}}
GONE = Erasures(
    "1-a", frozenset(keyed_hash(KEY, one) for one in (f"robin@{HOME}", "r@example.org", "robin", "77")), KEY
)
VERB = {"id": "http://id.tincanapi.com/verb/viewed"}


def said(actor: Any = OTHER, **more: Any) -> dict[str, Any]:
    return {"actor": actor, "verb": VERB, "object": {"id": f"{HOME}/page"}, **more}


GROUP = {"objectType": "Group", "member": [ROBIN, OTHER]}
ALONE = {"objectType": "Group", "member": [ROBIN]}


@pytest.mark.parametrize(
    "document, kept",
    [
        (said(), said()),
        (said(ROBIN), None),
        (said({"mbox": "mailto:r@example.org"}), None),
        (said(ALONE), None),
        (said(GROUP), said({"objectType": "Group", "member": [OTHER]})),
        (said(object=ROBIN), None),
        (said(object={"objectType": "SubStatement", **said(ROBIN)}), None),
        (said(object={"objectType": "SubStatement", **said()}), said(object={"objectType": "SubStatement", **said()})),
        (said(context={"instructor": ROBIN, "language": "en"}), said(context={"language": "en"})),
        (said(context={"team": ALONE, "platform": "x"}), said(context={"platform": "x"})),
        (said(context={"contextAgents": [{"agent": ROBIN}, {"agent": OTHER}]}),
         said(context={"contextAgents": [{}, {"agent": OTHER}]})),
        (said(result={"response": "robin"}), said(result={"response": "robin"})),  # no agent, but what somebody wrote
    ],
)  # fmt: skip
def test_what_may_be_kept_of_a_statement(document, kept):
    before = json.dumps(document)
    found = relieved("xapi", document, GONE)
    assert found == kept and json.dumps(document) == before
    assert (found is document) == (kept == document)


@pytest.mark.parametrize(
    "standard, document, stays",
    [
        ("caliper", viewed(actor={"id": "robin", "type": "Person"}), False),
        ("caliper", viewed(actor="robin"), False),
        ("caliper", viewed(object={"type": "Attempt", "id": "a", "assignee": "robin"}), False),
        ("caliper", viewed(generated={"type": "Result", "attempt": {"x": [{"type": "Person", "id": "robin"}]}}), False),
        ("caliper", viewed(), True),
        ("caliper", viewed(object={"id": "robin", "type": "WebPage"}), True),
        ("edx", {"username": "kim", "context": {"user_id": 77}}, False),
        ("edx", {"username": "bob", "context": {}}, False),
        ("edx", {"username": "kim", "context": {"user_id": 7}, "event": '{"user_id": "77"}'}, False),
        ("edx", {"username": "kim", "context": {"user_id": 7}, "event": '{"user_id": "7'}, True),
    ],
)
def test_what_may_be_kept_of_other_documents(standard, document, stays):
    assert relieved(standard, document, GONE, {"bob": "77"}) is (document if stays else None)


def test_documents_agents_are_known():
    assert ids_of(f"account={HOME}|robin") == {f"robin@{HOME}"}
    assert "a|b@https://x" in ids_of("account=https://x|a|b")
    assert ids_of("mbox=mailto:r@example.org") == {"r@example.org"} and ids_of("") == set()


class Kept:
    """A collector, the folder of the tombstones that it follows, and its disk."""

    def __init__(self, folder: Path, environ: dict[str, str]):
        self.raw = LocalStore(folder / "raw")
        self.collector = Collector(folder, environ, MASTER_DATASET=str(folder / "raw"), ERASURE_KEY=KEY)

    def erase(self, *ids: str) -> None:
        """Note that they are erased, and wait until the collector has let go of them."""
        version, deadline = add_people(self.raw, KEY, ids).version, time.monotonic() + LIMIT
        while [sign.erased for sign in read_collectors(LocalStore(self.collector.folder / "sources"))] != [version]:
            assert time.monotonic() < deadline, "the collector must let go of them"
            time.sleep(0.1)

    def names(self, text: str) -> list[str]:
        """The files of its disk in which some text stands."""
        return [p.name for p in (self.collector.folder / "data").iterdir() if text.encode() in p.read_bytes()]

    def send(self, *statements: dict[str, Any]) -> list[str]:
        """Send statements; their ids."""
        address = f"{self.collector.address}/xapi/statements"
        told = httpx.post(address, json=list(statements), headers=HEADERS, timeout=LIMIT).raise_for_status().json()
        assert isinstance(told, list)
        return told

    def found(self, statement: str) -> int:
        """The status of asking for a statement."""
        address = f"{self.collector.address}/xapi/statements"
        return httpx.get(address, params={"statementId": statement}, headers=HEADERS, timeout=LIMIT).status_code

    def state(self, method: str, person: str) -> httpx.Response:
        """Do something with somebody's bookmark."""
        agent = json.dumps({"account": {"homePage": HOME, "name": person}})
        place = {"activityId": f"{HOME}/course", "agent": agent, "stateId": "resume"}
        address, content = f"{self.collector.address}/xapi/activities/state", b"7" if method == "PUT" else None
        return httpx.request(method, address, params=place, content=content, headers=HEADERS, timeout=LIMIT)


@pytest.fixture
def kept(stack, tmp_path) -> Iterator[Kept]:
    running = Kept(tmp_path, stack.environment)
    try:
        running.collector.wait()
        yield running
    finally:
        running.collector.stop()


def edx(user: str, number: int) -> str:
    context = {"course_id": "course-v1:A+B+C", "user_id": number}
    line = {"username": user, "event_type": "seq_next", "time": "2026-03-02T08:00:00+00:00", "context": context}
    return json.dumps(line | {"event": json.dumps({"id": str(uuid.uuid4()), "old": 1, "new": 2}), "name": "seq_next"})


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_nothing_of_the_erased_stays_and_everything_of_others(kept: Kept, topics, end):
    """Robin plays and goes; kim's playing goes on over the erasure and over an end of the process."""
    robin, kim = (f"{name}-{uuid.uuid4()}" for name in ("robin", "kim"))
    both = {"objectType": "Group", "member": [{"account": {"homePage": HOME, "name": one}} for one in (robin, kim)]}
    beginning = [played("played", 10, "2026-03-02T08:00:00Z", one) for one in (robin, kim)]
    beginning[1]["context"]["team"] = both
    kept.send(*beginning)
    odd = played("pondered", 1, "2026-03-02T08:00:01Z", robin)
    kept.send(odd)
    lines = "\n".join((edx(robin, 4711), edx(kim, 42)))
    assert httpx.post(f"{kept.collector.address}/edx", content=lines, timeout=LIMIT).json()["accepted"] == 2
    reader = viewed(actor={"id": f"{HOME}/{robin}", "type": "Person"})
    assert httpx.post(f"{kept.collector.address}/caliper", json=envelope(reader), timeout=LIMIT).status_code == 200
    assert [kept.state("PUT", one).status_code for one in (robin, kim)] == [204, 204]
    assert kept.names(robin) and kept.names(kim)

    kept.erase(f"{robin}@{HOME}", "4711", robin, f"{HOME}/{robin}")
    assert kept.names(robin) == [] and kept.names(kim), "every byte, also of what was replaced"
    assert [kept.found(one["id"]) for one in beginning] == [404, 200]
    assert [kept.state("GET", one).status_code for one in (robin, kim)] == [404, 200]

    before = len(topics.unmapped())
    pauses = [played("paused", 70, "2026-03-02T08:01:00Z", one) for one in (robin, kim)]
    assert kept.send(pauses[0]) == [pauses[0]["id"]], "who sends it is told that it was taken"
    kept.send(played("pondered", 1, "2026-03-02T08:02:00Z", robin))
    assert len(topics.unmapped()) == before, "what no mapping knows of them is kept nowhere"
    assert kept.state("PUT", robin).status_code == 204 and kept.state("GET", robin).status_code == 404
    if end == "kill":
        kept.collector.kill()
    else:
        kept.collector.stop()
    assert kept.names(robin) == []
    kept.collector.start_again()
    kept.send(pauses[1])
    assert kept.names(robin) == [] and kept.found(pauses[0]["id"]) == 404
    watched = Counter(one["user_id"] for one in topics.events() if one["event_type"] == "VIDEO_WATCHED")
    assert watched[f"{kim}@{HOME}"] == 1 and watched[f"{robin}@{HOME}"] <= 1
    [span] = [one for one in topics.events() if one["event_type"] == "VIDEO_WATCHED" and one["user_id"][:3] == "kim"]
    assert span["watch_duration_seconds"] == 60
    paused = [one["event_id"] for one in topics.events() if one["event_type"] == "VIDEO_PAUSED"]
    assert Counter(paused) == {one["id"]: 1 for one in pauses}, "layers count theirs as erased, as of every producer"


def test_without_the_key_nothing_is_taken_that_would_be_kept(stack, tmp_path):
    add_people(LocalStore(tmp_path / "raw"), KEY, ["robin"])
    running = Collector(tmp_path, stack.environment, MASTER_DATASET=str(tmp_path / "raw"), ERASURE_KEY="")
    try:
        running.wait()
        deadline, statement = time.monotonic() + LIMIT, played("played", 1, "2026-03-02T08:00:00Z", "kim")
        while True:
            answer = running.client.post("/xapi/statements", json=statement, headers=HEADERS)
            if answer.status_code == 503:
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert answer.headers["Retry-After"] and "ERASURE_KEY" in answer.json()["detail"]
    finally:
        running.stop()
