"""Every answer with rows of identified people is noted down, and nobody reads more of that than is theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from serving_layer.disclosure.chains import shown_of, verify
from tests.serving_layer.identity.conftest import PERSONS, Closed, Person
from tests.serving_layer.identity.model import pseudonym

ADMIN, ANALYST = PERSONS[0], PERSONS[2]
STUDENT, LECTURER = Person("student", "SV001"), Person("lecturer", "GV001")
PATH = "/views/video_total_watch_time"
LIMIT = 30


def until_noted(closed: Closed, person: str, purpose: str) -> list[dict]:
    """The records of this purpose, once there are some."""
    deadline = time.monotonic() + LIMIT
    while True:
        found = [line for line in shown_of(closed.log, person) if line["purpose"] == purpose]
        if found:
            return found
        assert time.monotonic() < deadline, f"a record must be there within {LIMIT} s"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "query", ["", "?user_id=SV001", "?fields=total_watch_seconds", "?layer=batch", "?format=arrow"]
)
def test_rows_of_people_are_noted(closed, query):
    purpose = f"a test of {query or 'everything'}"
    assert closed.get(STUDENT, PATH + query, **{"X-Purpose": purpose}).status_code == 200
    (line,) = until_noted(closed, "SV001", purpose)
    assert (line["who"], line["role"], line["view"]) == ("SV001", "student", "video_total_watch_time")
    assert line["run"] == closed.get(ADMIN, "/freshness").json()["run"] and line["by"].startswith("key ")


def views_shown(closed: Closed) -> list[dict]:
    """The records of answers with rows of SV001; admins who read the log are noted in their own time."""
    return [line for line in shown_of(closed.log, "SV001") if line["view"] != "disclosures"]


def test_what_names_nobody_is_not(closed):
    before = len(views_shown(closed))
    for person, path in (
        (ANALYST, PATH),
        (ADMIN, "/views/video_course_metrics"),
        (ADMIN, f"{PATH}?user_id=nobody"),
        (STUDENT, f"{PATH}?user_id=SV002"),
    ):
        assert closed.get(person, path, **{"X-Purpose": "nobody"}).status_code == 200
    closed.get(STUDENT, PATH, **{"X-Purpose": "somebody"})
    until_noted(closed, "SV001", "somebody")
    assert len(views_shown(closed)) == before + 1


def test_older_runs_and_windows_are_noted(closed):
    run = closed.get(ADMIN, "/freshness").json()["run"]
    closed.get(STUDENT, f"{PATH}?as_of_run={run}", **{"X-Purpose": "an older run"})
    (line,) = until_noted(closed, "SV001", "an older run")
    assert (line["run"], line["head"]) == (run, None)


def test_people_read_their_own_record_and_admins_each(closed):
    closed.get(LECTURER, f"{PATH}?user_id=SV001", **{"X-Purpose": "a lecture"})
    until_noted(closed, "SV001", "a lecture")
    own = closed.get(STUDENT, "/disclosures").json()
    assert own["person"] == "SV001" and own["total"] == len(own["records"])
    line = next(line for line in own["records"] if line["purpose"] == "a lecture")
    assert (line["who"], line["role"]) == ("GV001", "lecturer")
    assert line in closed.get(ADMIN, "/disclosures?person=SV001", **{"X-Purpose": "a look"}).json()["records"]
    (looked,) = until_noted(closed, "SV001", "a look")
    assert (looked["view"], looked["role"]) == ("disclosures", "admin")
    for person, query in ((STUDENT, "?person=SV002"), (LECTURER, "?person=SV001"), (ANALYST, "?person=SV001")):
        assert closed.get(person, f"/disclosures{query}").status_code == 403
    assert closed.get(ANALYST, "/disclosures").status_code == 403
    assert closed.http.get("/disclosures").status_code == 401


def test_a_pseudonym_is_told_to_admins_and_that_is_noted(closed):
    name = pseudonym("SV001")

    def asked(person: Person, text: str = name):
        headers = {"Authorization": f"Bearer {closed.keys[person]}", "X-Purpose": "a warning"}
        return closed.http.post("/pseudonyms", json={"pseudonym": text}, headers=headers)

    assert asked(ADMIN).json() == {"pseudonym": name, "person": "SV001"}
    (line,) = until_noted(closed, "SV001", "a warning")
    assert (line["view"], line["role"]) == ("pseudonyms", "admin")
    for strange in ("foreign/ü ☃", "a\0b"):
        assert asked(ADMIN, pseudonym(strange)).json()["person"] == strange
    for person in (ANALYST, STUDENT, LECTURER, PERSONS[1]):
        assert asked(person).status_code == 403
    for text in ("0" * 24, "", name[:-1], pseudonym("nobody")):
        assert asked(ADMIN, text).status_code == 404
    assert asked(ADMIN, "x" * 101).status_code == 422
    assert closed.http.post("/pseudonyms", json={"pseudonym": name}).status_code == 401
    # Who may not ask learns nothing of what a body must be.
    headers = {"Content-Type": "application/json"}
    assert closed.http.post("/pseudonyms", content=b"{", headers=headers).status_code == 401
    headers["Authorization"] = f"Bearer {closed.keys[ADMIN]}"
    for body, wrong in ((b"{", "body"), (b"[]", "body"), (b"{}", "pseudonym"), (b'{"pseudonym": 1}', "pseudonym")):
        told = closed.http.post("/pseudonyms", content=body, headers=headers)
        assert (told.status_code, told.json()["name"]) == (422, wrong)


def test_the_commands_tell_the_same(closed):
    environ = {
        **os.environ,
        "DISCLOSURE_LOG": closed.log.uri,
        "API_ADDRESS": closed.server.address,
        "API_KEY": closed.keys[ADMIN],
    }

    def learn(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = Path(sys.executable).with_name("learn")
        return subprocess.run([command, *arguments], env=environ, capture_output=True, text=True, timeout=120)

    closed.get(STUDENT, PATH, **{"X-Purpose": "the commands"})
    until_noted(closed, "SV001", "the commands")
    told = learn("audit", "student", "SV001").stdout
    assert "the commands" in told and "answers had rows of SV001" in told
    done = learn("audit", "verify")
    assert done.returncode == 0 and "records in" in done.stdout, done.stderr
    assert learn("audit", "trim").stdout == "0 files removed\n"
    assert learn("pseudonym", pseudonym("SV001")).stdout == "SV001\n"
    assert learn("pseudonym", "0" * 24).returncode == 2
    assert verify(closed.log)[0] == []


def test_no_id_of_another_is_in_an_address(closed):
    """Analysts' addresses have pseudonyms, and an admin sends one in a body: addresses end up in logs of proxies."""
    answer = closed.get(ANALYST, f"{PATH}?user_id={quote(pseudonym('SV001'))}")
    assert answer.json()["total"] and "SV001" not in str(answer.url)
