"""Exports show each role the events that are theirs, whatever is asked for, and what is shown is noted down."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from catalogue.events.exchange import CARRIED
from runtime.settings import Settings
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import TooMany
from serving_layer.identity.gate import Gate
from serving_layer.routes.exports import _Exports
from serving_layer.state.serving_state import ServingState
from tests.oracle.counting import count_once
from tests.oracle.histories import PEOPLE, POOLS
from tests.oracle.validity import RULES, Event
from tests.serving_layer.identity.conftest import ADVISES, PERSONS, TEACHES, Closed
from tests.serving_layer.identity.model import Person, pseudonym
from tests.serving_layer.identity.test_disclosures import until_noted

ADMIN, ANALYST, LECTURER = PERSONS[0], PERSONS[2], PERSONS[3]
STUDENT = Person("student", "SV001")
ABOUT = ("GRADE_ASSIGNMENT", "ASSIGNMENT_REOPENED")
ASKED: tuple[dict[str, str], ...] = (
    {"student": "SV001"},
    {"student": PEOPLE[7], "course": "COURSE001"},
    {"course": POOLS["course_id"][2]},
    {"student": "'; DROP TABLE ids; --"},
)


@pytest.fixture(scope="module")
def counted(closed: Closed) -> list[Event]:
    """The events that the published run counts."""
    cut = orjson.loads(closed.get(ADMIN, "/export/xapi?student=SV001").headers["X-As-Of"])["cut"]
    assert closed.server.platform
    records = [r for r in closed.server.platform.records if r.offset < cut[r.topic].get(str(r.partition), 0)]
    return [event for topic in RULES for event in count_once(topic, records).events]


def subject(event: Event) -> str:
    return str(event.fields["student_id"]) if event.type in ABOUT else event.user_id


def course(event: Event) -> object:
    types = {name: rules for _, by_type in RULES.values() for name, rules in by_type.items()}
    return event.fields["course_id"] if "course_id" in types[event.type] else None


def visible(person: Person, events: Iterable[Event]) -> list[Event] | None:
    """What a person may have of events; None: nothing at all."""
    match person.role:
        case "lecturer":
            taught = TEACHES.get(person.id)
            return [e for e in events if course(e) in taught] if taught else None
        case "adviser":
            advised = ADVISES.get(person.id)
            return [e for e in events if subject(e) in advised] if advised else None
        case "student":
            return [e for e in events if subject(e) == person.id]
    return [*events]


def carried(answer: Any, standard: str) -> list[dict[str, Any]]:
    if standard == "xapi":
        return [one["context"]["extensions"][CARRIED] for one in answer["statements"]]
    return [one["extensions"][CARRIED] for one in answer["data"]]


@pytest.mark.parametrize("person", PERSONS, ids=lambda p: f"{p.role} {p.id!a}")
def test_each_role_has_the_events_that_are_theirs(closed, counted, person):
    for number, asked in enumerate(ASKED):
        standard = ("xapi", "caliper")[number % 2]
        wanted = [e for e in counted if "course" not in asked or course(e) == asked["course"]]
        who = asked.get("student")
        wanted = [e for e in wanted if who is None or who in (e.user_id, subject(e))]
        mine = visible(person, wanted)
        sent = {**asked, "student": pseudonym(who)} if who and person.role == "analyst" else asked
        answer = closed.http.get(
            f"/export/{standard}", params=sent, headers={"Authorization": f"Bearer {closed.keys[person]}"}
        )
        if mine is None:
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200, answer.text
        name = pseudonym if person.role == "analyst" else str
        right = Counter((e.type, name(subject(e)), f"{e.ts:%Y-%m-%d %H:%M:%S.%f}") for e in mine)
        told = carried(answer.json(), standard)
        whose = ["student_id" if e["event_type"] in ABOUT else "user_id" for e in told]
        got = Counter((e["event_type"], e[w], e["timestamp"]) for e, w in zip(told, whose, strict=True))
        assert got == right
        if person.role in ("student", "adviser"):
            known = {person.id} if person.role == "student" else ADVISES[person.id]
            assert {e[field] for e in told for field in ("user_id", "student_id") if field in e} <= known


def test_analysts_have_no_names_of_anybody(closed, counted):
    everything = b"".join(closed.get(ANALYST, f"/export/{s}?course=COURSE001").content for s in ("xapi", "caliper"))
    assert len(everything) > 100_000
    for person in ("SV001", "SV1000", "GV001", "foreign"):
        assert person.encode() not in everything
    for event in counted:
        if event.event_id:
            assert event.event_id.encode() not in everything
    assert b"ip_address" not in everything and b'"S1"' not in everything


def test_where_somebody_was_is_not_for_those_who_teach_and_advise(closed):
    asked = "/export/xapi?course=COURSE001"
    for person, is_told in ((ADMIN, True), (STUDENT, True), (LECTURER, False), (Person("adviser", "AD001"), False)):
        told = carried(closed.get(person, asked).json(), "xapi")
        assert told and any("ip_address" in event for event in told) == is_told, person


def test_nobody_takes_every_place(tmp_path):
    settings = Settings.load({"AUTHENTICATION": "required", "IDENTITY": str(tmp_path), "DISCLOSURE_LOG": str(tmp_path)})
    exports = _Exports(settings, ServingState(settings), Gate(settings), Recorder(settings))
    release = exports._place("student SV001")
    with pytest.raises(TooMany, match="one for one"):
        exports._place("student SV001")
    exports._place("student SV002")
    with pytest.raises(TooMany):
        exports._place("student SV003")
    release()
    exports._place("student SV003")


def test_the_views_of_the_run_say_the_same(closed, counted):
    asked = "/views/video_student_engagement?user_id=SV001&layer=batch"
    rows = closed.get(ADMIN, asked).json()["rows"]
    told = carried(closed.get(ADMIN, "/export/xapi?student=SV001").json(), "xapi")
    watched = Counter(e["course_id"] for e in told if e["event_type"] == "VIDEO_WATCHED")
    assert watched == {row["course_id"]: row["total_video_events"] for row in rows} != {}


def test_what_cannot_be_asked_is_named(closed):
    for query, name in (
        ("", "student"),
        ("?student=", "student"),
        ("?user_id=SV001", "user_id"),
        ("?student=SV001&student=SV002", "student"),
        ("?student=SV001&since=yesterday", "since"),
        ("?course=COURSE001&until=2026-02-30T00:00", "until"),
    ):
        answer = closed.get(ADMIN, f"/export/xapi{query}")
        assert (answer.status_code, answer.json()["name"]) == (422, name)
    assert closed.http.get("/export/caliper?student=SV001").status_code == 401
    assert closed.get(LECTURER, "/export/lti?student=SV001").status_code == 404
    assert closed.get(STUDENT, "/export/xapi?student=" + "%F0%9F%99%82" * 4000).json()["statements"] == []


def test_time_of_arrival_chooses(closed):
    whole = closed.get(ADMIN, "/export/xapi?student=SV001").json()["statements"]
    moment = sorted(one["stored"] for one in whole)[len(whole) // 2]
    for name, right in (
        ("since", [one for one in whole if one["stored"] > moment]),
        ("until", [one for one in whole if one["stored"] <= moment]),
    ):
        assert closed.get(ADMIN, f"/export/xapi?student=SV001&{name}={moment}").json()["statements"] == right != []


def test_who_is_shown_is_noted(closed):
    assert closed.get(LECTURER, "/export/xapi?course=COURSE001", **{"X-Purpose": "to our LRS"}).status_code == 200
    closed.get(ANALYST, "/export/xapi?course=COURSE001", **{"X-Purpose": "a study"})
    for person in ("SV001", "SV1000", "GV001"):
        (line,) = until_noted(closed, person, "to our LRS")
        assert (line["who"], line["view"], line["head"]) == ("GV001", "export/xapi", None)
        assert line["run"] == closed.get(ADMIN, "/freshness").json()["run"]
    log = closed.get(ADMIN, "/disclosures?person=SV001").json()["records"]
    assert not [line for line in log if line["purpose"] == "a study"]


def test_more_than_two_at_once_have_to_come_again(closed):
    """Each holds its place until it is sent, or nobody reads it any more."""
    headers = {"Authorization": f"Bearer {closed.keys[ADMIN]}"}
    for _ in range(3):
        with closed.http.stream("GET", "/export/xapi?course=COURSE001", headers=headers) as answer:
            answer.read() if answer.status_code == 429 else next(answer.iter_raw())
    answers: list[httpx.Response] = []
    deadline = time.monotonic() + 60
    while {answer.status_code for answer in answers} != {200, 429}:  # those before are left when the server sees it
        assert time.monotonic() < deadline, [answer.status_code for answer in answers]
        with ThreadPoolExecutor(12) as threads:
            asked = [threads.submit(closed.get, ADMIN, "/export/caliper?course=COURSE001") for _ in range(12)]
        answers += [one.result() for one in asked]
        time.sleep(0.2)
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 429} == {"10"}
    deadline = time.monotonic() + 30
    while closed.get(ADMIN, "/export/xapi?student=SV001").status_code == 429:
        assert time.monotonic() < deadline, "a place must be free again within 30 s"
        time.sleep(0.1)
