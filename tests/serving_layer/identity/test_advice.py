"""Who advises a student writes about them and reads it; nobody else does, and it is noted who did."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.serving_layer.identity.conftest import LIMIT, PERSONS, Closed
from tests.serving_layer.identity.model import Person
from tests.serving_layer.identity.test_login import login

ADVISER, OTHER, ADMIN = Person("adviser", "AD001"), Person("adviser", "AD002"), PERSONS[0]
THEIRS, STRANGE = "SV003", "foreign/ü ☃"


def write(closed: Closed, person: Person, **body: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {closed.keys[person]}"}
    return closed.http.post("/advice", json=body, headers=headers)


def read(closed: Closed, person: Person, *students: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {closed.keys[person]}"}
    return closed.http.get("/advice", params=[("student", one) for one in students], headers=headers)


def test_an_adviser_writes_and_reads_about_the_own_students(closed):
    before = read(closed, OTHER).json()["total"]
    sent = [
        write(closed, OTHER, student=THEIRS, kind="acknowledged"),
        write(closed, OTHER, student=STRANGE, kind="contacted", text="Wrote a mail."),
        write(closed, OTHER, student=THEIRS, kind="outcome", text="Came to see me. ☃"),
    ]
    assert [answer.status_code for answer in sent] == [201] * 3
    assert all(answer.json()["by"] == "AD002" for answer in sent)
    found = read(closed, OTHER).json()
    assert found["total"] == before + 3 and found["advice"][:3] == [answer.json() for answer in sent[::-1]]
    assert {one["student"] for one in read(closed, OTHER, THEIRS).json()["advice"]} == {THEIRS}
    assert read(closed, ADMIN, THEIRS).json() == read(closed, OTHER, THEIRS).json()
    assert all(one["student"] not in (THEIRS, STRANGE) for one in read(closed, ADVISER).json()["advice"])


def test_the_same_event_is_taken_once(closed):
    event = {"student": THEIRS, "kind": "note", "text": "once", "id": "00000000-0000-4000-8000-000000000001"}
    first, second = write(closed, OTHER, **event), write(closed, OTHER, **event)
    assert first.json() == second.json() and first.json()["id"] == event["id"]
    assert sum(one["id"] == event["id"] for one in read(closed, OTHER).json()["advice"]) == 1


@pytest.mark.parametrize("person", PERSONS[1:])
def test_nobody_writes_or_reads_about_others_students(closed, person):
    student = THEIRS if person != OTHER else "SV999"
    assert write(closed, person, student=student, kind="note", text="x").status_code == 403
    assert read(closed, person, student).status_code == 403
    if person.role != "adviser":
        assert read(closed, person).status_code == 403


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"kind": "praised"}, "kind"),
        ({"kind": "note"}, "text"),
        ({"kind": "outcome", "text": " \n"}, "text"),
        ({"kind": "note", "text": "x" * 2001}, "text"),
        ({"kind": "note", "text": 7}, "text"),
        ({"kind": "note", "text": "x", "id": "../roster"}, "id"),
        ({"kind": None}, "kind"),
    ],
)
def test_what_is_no_event_is_refused_with_its_name(closed, body, name):
    answer = write(closed, OTHER, **{"student": THEIRS, **body})
    assert (answer.status_code, answer.json()["name"]) == (422, name)


HALF = b'{"student": "SV003", "kind": "note", "text": "\\ud800"}'


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", HALF])
def test_a_body_that_is_none_is_refused(closed, content):
    headers = {"Authorization": f"Bearer {closed.keys[OTHER]}", "Content-Type": "application/json"}
    assert closed.http.post("/advice", content=content, headers=headers).status_code == 422
    form = headers | {"Content-Type": "text/plain"}  # what another site's form may send without asking
    assert closed.http.post("/advice", content=b'{"student": "SV003", "kind": "note"}', headers=form).status_code == 422


def test_a_login_needs_the_token_of_its_page(closed, issuer):
    event = {"student": THEIRS, "kind": "acknowledged"}
    with httpx.Client(base_url=closed.server.address, timeout=60) as browser:
        login(browser, issuer, "AD002", role="adviser")
        assert browser.post("/advice", json=event).status_code == 403
        token = {"X-CSRF-Token": browser.get("/me").json()["csrf"]}
        strange = {**token, "Sec-Fetch-Site": "cross-site"}
        assert browser.post("/advice", json=event, headers=strange).status_code == 403
        assert browser.post("/advice", json=event, headers=token).status_code == 201


def test_it_is_noted_who_read_and_wrote(closed):
    write(closed, OTHER, student=THEIRS, kind="contacted")
    read(closed, OTHER, THEIRS)
    deadline = time.monotonic() + LIMIT
    while True:
        records = closed.get(ADMIN, f"/disclosures?person={THEIRS}").json()["records"]
        views = {record["view"] for record in records if record["who"] == "AD002"}
        if {"advice", "advice: contacted"} <= views:
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)
