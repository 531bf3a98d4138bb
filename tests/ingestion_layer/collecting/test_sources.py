"""Who may send: declared, known by a key, and held to what they may."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner

from deployment.command.learn import learn
from ingestion_layer.collecting.sources import BadSource, Source, add_source, read_sources, remove_source
from runtime.storage.local import LocalStore
from tests.ingestion_layer.collecting.conftest import Collector


def event() -> dict[str, str]:
    made = {"event_id": str(uuid.uuid4()), "event_category": "AUTH", "event_type": "LOGIN", "user_id": "SV001"}
    return {**made, "timestamp": "2026-03-02 08:15:00", "role": "student", "session_id": "S1"}


def test_a_source_is_declared_by_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("COLLECTOR_SOURCES", str(tmp_path))
    run = CliRunner().invoke
    added = run(learn, ["sources", "add", "moodle", "--standard", "xapi", "--origin", "https://a.example", "--json"])
    assert added.exit_code == 0, added.output
    key = json.loads(added.output)["key"]
    assert key not in (tmp_path / "sources.json").read_text()
    [told] = json.loads(run(learn, ["sources", "list", "--json"]).output)
    assert told["name"] == "moodle" and told["origins"] == ["https://a.example"] and "digest" not in told
    assert run(learn, ["sources", "remove", "moodle"]).exit_code == 0
    assert run(learn, ["sources", "remove", "moodle"]).exit_code != 0
    assert read_sources(LocalStore(tmp_path))[0].version == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Source("Big", "xapi"),
        Source("", "xapi"),
        Source("a", "scorm"),
        Source("a", "xapi", role="visitor"),
        Source("a", "xapi", course=""),
        Source("a", "xapi", origins=("a.example",)),
        Source("a", "xapi", rate=-1),
        Source("a", "xapi", bytes=0),
    ],
)
def test_what_is_no_source_is_refused(tmp_path, wrong):
    with pytest.raises(BadSource, match="source: .* must .*; got "):
        add_source(LocalStore(tmp_path), wrong)


def test_a_damaged_object_is_told(tmp_path):
    (tmp_path / "sources.json").write_text('{"version": 1}')
    with pytest.raises(BadSource, match="must be whole"):
        read_sources(LocalStore(tmp_path))


@pytest.fixture
def guarded(stack, tmp_path) -> Iterator[Collector]:
    running = Collector(tmp_path, stack.environment, AUTHENTICATION="required")
    try:
        yield running.wait()
    finally:
        running.stop()


def test_who_has_no_key_is_asked_for_one(guarded, topics):
    store = LocalStore(guarded.folder / "sources")
    key = add_source(store, Source("own", "events"))
    lrs = add_source(store, Source("pages", "xapi", origins=("https://a.example",), course="COURSE7", role="student"))
    deadline = time.monotonic() + 60

    def post(authorization: str | None) -> httpx.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return httpx.post(f"{guarded.address}/events", json=event(), headers=headers)

    while post(f"Bearer {key}").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    basic = base64.b64encode(f"own:{key}".encode()).decode()
    other = base64.b64encode(f"pages:{key}".encode()).decode()
    assert post(f"Basic {basic}").status_code == 200 and post(key).status_code == 200
    refused = [post(None), post("Bearer x"), post(f"Basic {other}"), post("Basic !"), post(f"Bearer {key}x")]
    assert [answer.status_code for answer in refused] == [401] * 5
    assert all("Basic" in answer.headers["WWW-Authenticate"] for answer in refused)
    assert post(f"Bearer {lrs}").status_code == 403
    slow = add_source(store, Source("slow", "events", rate=0.001))
    while (limited := post(f"Bearer {slow}")).status_code == 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert limited.status_code == 200
    limited = post(f"Bearer {slow}")
    assert limited.status_code == 429 and int(limited.headers["Retry-After"]) > 500

    headers = {"Authorization": f"Bearer {lrs}", "X-Experience-API-Version": "1.0.3", "Origin": "https://a.example"}
    statement = {
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
        "object": {"id": "https://a.example/page"},
        "timestamp": "2026-03-02T08:15:00Z",
    }
    answer = httpx.post(f"{guarded.address}/xapi/statements", json=statement, headers=headers)
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    elsewhere = httpx.get(f"{guarded.address}/xapi/about", headers={"Origin": "https://b.example"})
    assert elsewhere.status_code == 200 and "Access-Control-Allow-Origin" not in elsewhere.headers
    [made] = [e for e in topics.events() if e["event_category"] == "COURSE"]
    assert (made["course_id"], made["role"]) == ("COURSE7", "student")
    remove_source(store, "own")
    while post(f"Bearer {key}").status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_it_listens_beyond_this_machine_only_where_keys_are_asked_for(stack, tmp_path):
    open_to_all = Collector(tmp_path, stack.environment, COLLECTOR_HOST="0.0.0.0")
    assert open_to_all.process.wait(60) == 1
