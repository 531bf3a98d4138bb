"""Who advises a student writes about them and reads it; nobody else does, and it is noted who did."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from serving_layer.advising.advice import Advices, advice
from serving_layer.advising.thresholds import DEFAULTS, history_of
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


def thresholds(closed: Closed, person: Person, **chosen: object) -> httpx.Response:
    """What is answered to who chooses, or asks where nothing is chosen."""
    headers = {"Authorization": f"Bearer {closed.keys[person]}"}
    if not chosen:
        return closed.http.get("/advice/thresholds", headers=headers)
    return closed.http.put("/advice/thresholds", json=chosen, headers=headers)


def test_each_adviser_has_thresholds_of_their_own(closed):
    assert thresholds(closed, ADVISER).json() == {"thresholds": DEFAULTS, "at": None}
    first = thresholds(closed, ADVISER, quiet=3).json()
    second = thresholds(closed, ADVISER, grade=40, open=0).json()
    assert second["thresholds"] == {**DEFAULTS, "quiet": 3, "grade": 40, "open": 0} and second["at"] >= first["at"]
    assert thresholds(closed, ADVISER).json() == second
    assert thresholds(closed, OTHER).json()["thresholds"] == DEFAULTS
    lines = history_of(closed.store, "AD001")
    assert [line.thresholds["quiet"] for line in lines] == [3, 3] and {line.by for line in lines} == {"AD001"}


@pytest.mark.parametrize("person", PERSONS)
def test_who_looks_at_others_has_thresholds(closed, person):
    expected = 403 if person.role == "student" else 200
    assert thresholds(closed, person).status_code == thresholds(closed, person, late=5).status_code == expected


@pytest.mark.parametrize(
    ("chosen", "name"),
    [({"luck": 1}, "luck"), ({"quiet": -1}, "quiet"), ({"quiet": 1001}, "quiet"), ({"share": 2.5}, "share")]
    + [({"open": value}, "open") for value in ("7", None, True, [7])],
)
def test_what_is_no_threshold_is_refused_with_its_name(closed, chosen, name):
    answer = thresholds(closed, OTHER, **chosen)
    assert (answer.status_code, answer.json()["name"]) == (422, name)


def test_thresholds_need_the_token_of_their_page(closed, issuer):
    with httpx.Client(base_url=closed.server.address, timeout=60) as browser:
        login(browser, issuer, "AD001", role="adviser")
        assert browser.put("/advice/thresholds", json={"quiet": 9}).status_code == 403
        token = {"X-CSRF-Token": browser.get("/me").json()["csrf"]}
        strange = {**token, "Sec-Fetch-Site": "cross-site"}
        assert browser.put("/advice/thresholds", json={"quiet": 9}, headers=strange).status_code == 403
        assert browser.put("/advice/thresholds", json={"quiet": 9}, headers=token).json()["thresholds"]["quiet"] == 9


def _marks(lines: Iterator[str]) -> Iterator[str]:
    """Each mark that a stream tells, once it is another."""
    for line in lines:
        if line == "event: advice":
            yield json.loads(next(lines).removeprefix("data: "))["mark"]


def test_who_follows_learns_that_others_wrote_whichever_replica_they_wrote_to(closed):
    """An adviser about their own students alone: what is about others doesn't change their mark."""
    headers = {"Authorization": f"Bearer {closed.keys[OTHER]}", "Accept": "text/event-stream"}
    with closed.http.stream("GET", "/changes", headers=headers) as stream:
        marks = _marks(stream.iter_lines())
        before = next(marks)
        elsewhere = Advices(closed.store)  # as another replica does
        elsewhere.add(advice("SV001", "AD001", "acknowledged", "", "not-about-theirs"))
        elsewhere.add(advice(THEIRS, "AD777", "acknowledged", "", "about-theirs"))
        assert next(marks) != before
        write(closed, ADMIN, student=THEIRS, kind="acknowledged")
        assert next(marks) != before
