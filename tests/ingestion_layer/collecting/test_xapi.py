"""The learning record store as its clients use it: real ones from PyPI, and requests as systems send them."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest
from tincan import (
    Activity,
    ActivityDefinition,
    Agent,
    LanguageMap,
    RemoteLRS,
    StateDocument,
    Statement,
    Verb,
)

HEADERS = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
MOODLE = "https://moodle.example/mod/page/view.php?id="


def statement(**changed: Any) -> dict[str, Any]:
    made = {
        "id": str(uuid.uuid4()),
        "actor": {"account": {"homePage": "https://moodle.example", "name": f"user-{uuid.uuid4()}"}},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed", "display": {"en": "viewed"}},
        "object": {
            "id": f"{MOODLE}{uuid.uuid4()}",
            "definition": {"type": "http://id.tincanapi.com/activitytype/document", "name": {"en": "A page"}},
        },
        "timestamp": "2026-03-02T08:15:00.250Z",
        "context": {
            "contextActivities": {
                "grouping": {
                    "id": "https://moodle.example/course/view.php?id=7",
                    "definition": {"type": "http://id.tincanapi.com/activitytype/lms/course"},
                }
            }
        },
        **changed,
    }
    return {name: value for name, value in made.items() if value is not ...}


@pytest.fixture
def xapi(shared_collector) -> httpx.Client:
    return httpx.Client(base_url=f"{shared_collector.address}/xapi/", headers=HEADERS, timeout=60)


def test_about_is_open(shared_collector):
    answer = shared_collector.client.get("/xapi/about")
    assert answer.status_code == 200 and "2.0.0" in answer.json()["version"] and "1.0.3" in answer.json()["version"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


def test_a_statement_is_found_and_in_kafka(xapi, topics):
    sent = statement()
    assert xapi.put("statements", params={"statementId": sent["id"]}, json=sent).status_code == 204
    found = xapi.get("statements", params={"statementId": sent["id"]})
    assert found.status_code == 200 and found.json()["actor"] == sent["actor"]
    assert found.json()["context"]["contextActivities"]["grouping"][0]["id"].endswith("id=7")
    assert {"stored", "authority", "version"} <= found.json().keys()
    assert found.headers["X-Experience-API-Consistent-Through"] > found.json()["stored"]
    [event] = topics.events()
    assert event["event_id"] == sent["id"] and event["event_type"] == "ACCESS_COURSE_MATERIAL"


def test_one_id_is_of_one_statement(xapi, topics):
    sent = statement()
    answers = [xapi.post("statements", json=sent), xapi.post("statements", json=[sent])]
    assert [a.status_code for a in answers] == [200, 200] and all(a.json() == [sent["id"]] for a in answers)
    assert xapi.put("statements", params={"statementId": sent["id"]}, json=sent).status_code == 204
    other = {**sent, "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"}}
    assert xapi.put("statements", params={"statementId": sent["id"]}, json=other).status_code == 409
    assert xapi.post("statements", json=[statement(), other]).status_code == 409
    assert len(topics.records()) == 1


def test_a_second_try_without_an_id_is_the_same_statement(xapi, topics):
    sent = statement(id=...)
    first, second = (xapi.post("statements", json=sent).json() for _ in range(2))
    assert first == second and len(topics.records()) == 1


def test_what_no_mapping_knows_is_kept_whole(xapi, topics):
    sent = statement(verb={"id": "http://example.org/pondered"})
    assert xapi.post("statements", json=sent).status_code == 200
    [kept] = topics.unmapped()
    assert kept["standard"] == "xapi" and kept["document"]["id"] == sent["id"] and "pondered" in kept["reason"]
    assert topics.events() == []


def test_voiding(xapi):
    sent = statement()
    xapi.post("statements", json=sent)
    void = statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": sent["id"]}, context=...)
    assert xapi.post("statements", json=void).status_code == 200
    assert xapi.get("statements", params={"statementId": sent["id"]}).status_code == 404
    assert xapi.get("statements", params={"voidedStatementId": sent["id"]}).json()["id"] == sent["id"]
    found = xapi.get("statements", params={"agent": json.dumps(sent["actor"])}).json()["statements"]
    assert [one["id"] for one in found] == [void["id"]]  # it refers to one that the agent is in


def test_queries_and_pages(xapi):
    actor = {"objectType": "Agent", "mbox": f"mailto:{uuid.uuid4()}@example.org"}
    registration = str(uuid.uuid4())
    sent = [statement(actor=actor) for _ in range(5)]
    sent[1]["context"]["registration"] = registration
    sent[2]["verb"] = {"id": "http://adlnet.gov/expapi/verbs/completed"}
    xapi.post("statements", json=sent)
    ids = [one["id"] for one in sent]

    def found(**parameters: Any) -> list[str]:
        answer = xapi.get("statements", params={"agent": json.dumps(actor), **parameters})
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["statements"]]

    assert found() == ids[::-1] and found(ascending="true") == ids
    assert found(registration=registration) == [ids[1]]
    assert found(verb="http://adlnet.gov/expapi/verbs/completed") == [ids[2]]
    assert found(activity=sent[3]["object"]["id"]) == [ids[3]]
    course = "https://moodle.example/course/view.php?id=7"
    assert found(activity=course) == [] and found(activity=course, related_activities="true") == ids[::-1]
    assert found(since="2999-01-01T00:00:00Z") == [] and found(until="2999-01-01T00:00:00Z") == ids[::-1]
    page = xapi.get("statements", params={"agent": json.dumps(actor), "limit": 2}).json()
    seen = [one["id"] for one in page["statements"]]
    while page["more"]:
        page = httpx.get(f"{str(xapi.base_url).removesuffix('/xapi/')}{page['more']}", headers=HEADERS).json()
        seen += [one["id"] for one in page["statements"]]
    assert seen == ids[::-1]
    bare = xapi.get("statements", params={"statementId": ids[0], "format": "ids"}).json()
    assert bare["object"] == {"id": sent[0]["object"]["id"]}
    assert xapi.get("activities", params={"activityId": sent[0]["object"]["id"]}).json()["definition"]
    assert xapi.get("agents", params={"agent": json.dumps(actor)}).json()["mbox"] == [actor["mbox"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"actor": ...},
        {"actor": {"mbox": "nobody"}},
        {"actor": {"mbox": "mailto:a@b.c", "openid": "https://x.y"}},
        {"actor": {"objectType": "Group"}},
        {"verb": {"id": "viewed"}},
        {"verb": {"id": "http://a.b/c", "display": {"english language": "x"}}},
        {"object": {"id": "page"}},
        {"object": {"objectType": "Thing", "id": "http://a.b"}},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-03-02T08:15:00-00:00"},
        {"result": {"score": {"scaled": 1.1}}},
        {"result": {"duration": "12 minutes"}},
        {"result": {"success": "true"}},
        {"context": {"registration": "7"}},
        {"extra": 1},
        {"id": "7"},
        {"result": None},
        {"attachments": [{"usageType": "http://a.b", "display": {}, "contentType": "a/b", "length": 1, "sha2": "ab"}]},
    ],
)
def test_what_is_no_statement_is_refused(xapi, topics, changed):
    answer = xapi.post("statements", json=statement(**changed))
    assert answer.status_code == 400 and answer.json()["detail"]
    assert topics.records() == []


def test_requests_that_are_wrong(xapi, shared_collector):
    key = str(uuid.uuid4())
    bare = shared_collector.client
    assert bare.get("/xapi/statements").status_code == 400  # without a version
    assert bare.get("/xapi/statements", headers={"X-Experience-API-Version": "0.95"}).status_code == 400
    assert xapi.get("statements", params={"statementId": key}).status_code == 404
    assert xapi.get("statements", params={"statementId": key, "voidedStatementId": key}).status_code == 400
    assert xapi.get("statements", params={"statementid": key}).status_code == 400
    assert xapi.get("statements", params={"agent": "{"}).status_code == 400
    assert xapi.put("statements", json=statement()).status_code == 400
    assert xapi.post("statements", content=b"{").status_code == 400
    assert xapi.delete("statements").status_code == 405
    assert xapi.get("nothing").status_code == 404
    twice = statement()
    assert xapi.post("statements", json=[twice, twice]).status_code == 400
    assert xapi.head("statements").status_code == 200 and xapi.head("statements").content == b""


def test_attachments(xapi):
    content = bytes(range(256)) + b"\r\n--x\n"
    sha2 = hashlib.sha256(content).hexdigest()
    told = {
        "usageType": "http://example.org/file",
        "display": {"en": "a file"},
        "contentType": "application/octet-stream",
        "length": len(content),
        "sha2": sha2,
    }
    sent = statement(attachments=[told])
    head = b"--abc\r\nContent-Type: application/json\r\n\r\n" + json.dumps(sent).encode()
    part = b"\r\n--abc\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
    body = head + part + f"X-Experience-API-Hash: {sha2}\r\n\r\n".encode() + content + b"\r\n--abc--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=abc"}
    assert xapi.post("statements", json=sent).status_code == 400
    assert xapi.post("statements", content=body.replace(sha2.encode(), b"0" * 64), headers=headers).status_code == 400
    assert xapi.post("statements", content=body, headers=headers).json() == [sent["id"]]
    found = xapi.get("statements", params={"statementId": sent["id"], "attachments": "true"})
    assert found.headers["Content-Type"].startswith("multipart/mixed; boundary=") and content in found.content


@pytest.mark.parametrize("kind", ["activities/state", "activities/profile", "agents/profile"])
def test_documents(xapi, kind):
    owner = {"activityId": f"http://example.org/{uuid.uuid4()}", "agent": json.dumps({"mbox": "mailto:a@example.org"})}
    owner = {name: text for name, text in owner.items() if kind == "activities/state" or kind.startswith(name[:5])}
    if kind == "agents/profile":
        owner["agent"] = json.dumps({"mbox": f"mailto:{uuid.uuid4()}@example.org"})
    key = "stateId" if kind == "activities/state" else "profileId"
    place = {**owner, key: "bookmark"}
    new = {"If-None-Match": "*"}
    assert xapi.get(kind, params=place).status_code == 404
    assert xapi.put(kind, params=place, json={"page": 3}, headers=new).status_code == 204
    assert xapi.put(kind, params=place, json={"page": 3}, headers=new).status_code == 412
    found = xapi.get(kind, params=place)
    assert found.json() == {"page": 3} and found.headers["ETag"] == f'"{hashlib.sha1(found.content).hexdigest()}"'
    assert xapi.post(kind, params=place, json={"mark": [1]}).status_code == 204
    assert xapi.get(kind, params=place).json() == {"page": 3, "mark": [1]}
    stale = xapi.put(kind, params=place, json={}, headers={"If-Match": found.headers["ETag"]})
    assert stale.status_code == 412
    if kind != "activities/state":
        assert xapi.put(kind, params=place, json={}).status_code == 409
    newer = {"X-Experience-API-Version": "2.0.0"}
    assert xapi.put(kind, params=place, json={}, headers=newer).status_code == 409
    assert xapi.get(kind, params=owner).json() == ["bookmark"]
    assert xapi.get(kind, params={**owner, "since": "2999-01-01T00:00:00Z"}).json() == []
    assert xapi.delete(kind, params=place).status_code == 204 and xapi.get(kind, params=place).status_code == 404
    assert xapi.put(kind, params={key: "bookmark"}, json={}).status_code == 400


def test_the_alternate_syntax_and_other_pages(xapi, shared_collector):
    """Articulate's courses send from a page of another origin; old browsers let them only POST."""
    sent = statement()
    form = {"statementId": sent["id"], "content": json.dumps(sent), "X-Experience-API-Version": "1.0.3"}
    form |= {"Content-Type": "application/json", "Authorization": "Basic Og=="}
    address, origin = f"{shared_collector.address}/xapi/statements", {"Origin": "https://course.example"}
    answer = httpx.post(f"{address}?method=PUT", data=form, headers=origin)
    assert answer.status_code == 204 and answer.headers["Access-Control-Allow-Origin"] == "https://course.example"
    assert xapi.get("statements", params={"statementId": sent["id"]}).status_code == 200
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,x-experience"}
    preflight = httpx.options(address, headers=origin | asked)
    assert preflight.status_code == 204 and "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,x-experience"
    wrong = httpx.get(address, headers=origin)
    assert wrong.status_code == 400 and "Access-Control-Allow-Origin" in wrong.headers


def test_tincan(shared_collector, topics):
    lrs = RemoteLRS(endpoint=f"{shared_collector.address}/xapi/", version="1.0.3", username="x", password="y")
    # Not `lrs.about()`: it knows no 2.0.0, and `about` must tell it.
    agent = Agent(name="Tester", mbox=f"mailto:{uuid.uuid4()}@example.org")
    activity = Activity(
        id="http://example.org/video",
        definition=ActivityDefinition(
            name=LanguageMap(en="A video"), type="https://w3id.org/xapi/video/activity-type/video"
        ),
    )
    made = Statement(actor=agent, verb=Verb(id="http://id.tincanapi.com/verb/downloaded"), object=activity)
    saved = lrs.save_statement(made)
    assert saved.success, saved.data
    assert lrs.retrieve_statement(saved.content.id).content.actor.mbox == agent.mbox
    many = lrs.save_statements([Statement(actor=agent, verb=made.verb, object=activity) for _ in range(2)])
    assert many.success and len({one.id for one in many.content}) == 2
    assert len(lrs.query_statements({"agent": agent, "limit": 2}).content.statements) == 2
    state = StateDocument(
        id="resume", activity=activity, agent=agent, content=bytearray(b"page=3"), content_type="text/plain"
    )
    assert lrs.save_state(state).success
    found = lrs.retrieve_state(activity, agent, "resume").content.content
    assert found == bytearray(b"page=3")
    assert lrs.delete_state(lrs.retrieve_state(activity, agent, "resume").content).success
    assert len(topics.records()) == 3
