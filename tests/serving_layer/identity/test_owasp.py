"""The OWASP API Security Top 10 (2023): docs/security.md names a test for each, and here are those of no other page."""

from __future__ import annotations

import http.server
import re
import threading
from pathlib import Path

import httpx
import pytest

from serving_layer.errors import Unauthenticated
from serving_layer.identity.tokens import Tokens
from tests.serving_layer.identity.conftest import PERSONS, Person

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECTION = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").split("## OWASP")[1].split("\n## ")[0]
# Answered to everyone: they tell nothing of anybody.
PUBLIC = {"/", "/links", "/me", "/login", "/health/live", "/health/started", "/health/ready"}
STUDENT = Person("student", "SV001")


def test_every_item_has_a_test_that_is_there():
    rows = re.findall(r"^\| (API\d+):.*\| (.+) \|$", SECTION, re.MULTILINE)
    assert [number for number, _ in rows] == [f"API{n}" for n in range(1, 11)]
    for number, told in rows:
        named = re.findall(r"`(\w+\.py)::(\w+)`", told)
        assert named, number
        for file, test in named:
            (found,) = (ROOT / "tests").rglob(file)
            assert f"def {test}(" in found.read_text(encoding="utf-8"), f"{number} names {file}::{test}"


def test_the_collector_s_tests_are_there_too():
    named = re.findall(r"`(\w+\.py)::(\w+)`", SECTION.split("The collector is an API of its own")[1])
    assert len(named) > 4
    for file, test in named:
        text = (ROOT / "tests" / "ingestion_layer" / "collecting" / file).read_text(encoding="utf-8")
        assert f"def {test}(" in text, f"{file}::{test}"


def test_every_route_asks_who_it_is(closed):
    """A route that somebody adds is closed, or named here."""
    paths = closed.http.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method in operations:
            place = path.replace("{view}", "video_total_watch_time").replace("{name}", "active_users")
            answer = closed.http.request(method, place, json={"pseudonym": "x"} if method == "post" else None)
            assert (answer.status_code == 401) == (path not in PUBLIC), (method, path, answer.status_code)


def test_what_is_for_admins_is_refused_to_others(closed):
    for person in PERSONS[1:]:
        if person.role != "service":
            assert closed.get(person, "/metrics").status_code == 403
        assert closed.get(person, "/disclosures?person=SV002").status_code == 403
        for path in ("/operation", "/quarantine", "/collector"):
            assert closed.get(person, path).status_code == 403
        headers = {"Authorization": f"Bearer {closed.keys[person]}"}
        assert closed.http.post("/pseudonyms", json={"pseudonym": "0" * 24}, headers=headers).status_code == 403


def test_a_key_for_one_view_opens_nothing_else(closed):
    headers = {"Authorization": f"Bearer {closed.scoped}"}
    assert closed.http.get("/views/video_total_watch_time", headers=headers).json()["total"]
    for path in (
        "/views/video_student_engagement",
        "/realtime/video_viewers",
        "/export/xapi?student=SV001",
        "/export/caliper?course=COURSE001",
        "/disclosures?person=SV001",
        "/advice",
        "/advice?student=SV001",
        "/operation",
        "/quarantine",
        "/collector",
        "/metrics",
    ):
        assert closed.http.get(path, headers=headers).status_code == 403, path
    for path, body in (
        ("/pseudonyms", {"pseudonym": "0" * 24}),
        ("/advice", {"student": "SV001", "kind": "contacted"}),
    ):
        assert closed.http.post(path, json=body, headers=headers).status_code == 403, path


def test_the_issuer_leads_us_nowhere_else():
    """A redirect of what should be the issuer is not followed to a place of its choice."""
    asked: list[str] = []

    class Redirecting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/inside")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        tokens = Tokens(f"http://127.0.0.1:{server.server_port}", "audience")
        with pytest.raises(Unauthenticated):
            tokens.claims("eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.eHh4")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/.well-known/openid-configuration"]


def test_no_parameter_is_an_address_that_is_fetched(closed):
    for name in ("as_of_run", "view", "cursor"):
        answer = closed.get(STUDENT, f"/views/video_total_watch_time?{name}=http://169.254.169.254/latest")
        assert answer.status_code in (404, 422)


def test_answers_tell_no_more_than_is_asked(closed):
    answer = closed.get(STUDENT, "/views/video_total_watch_time?fields=total_watch_seconds").json()
    assert {frozenset(row) for row in answer["rows"]} == {frozenset({"total_watch_seconds"})}
    assert "digest" not in closed.http.get("/me", headers={"Authorization": f"Bearer {closed.keys[STUDENT]}"}).text


def test_errors_tell_nothing_of_the_inside(closed):
    for path in (
        "/views/nothing",
        "/views/video_total_watch_time?x=1",
        "/nothing",
        "/views/auth_daily_active_users?cursor=x",
    ):
        text = closed.get(PERSONS[0], path).text
        assert "Traceback" not in text and "/work" not in text and "site-packages" not in text
    assert "server" not in httpx.get(f"{closed.server.address}/nothing").headers.get("server", "").lower()
