"""Who is let in, as whom, and for how long: over HTTP, by keys and by tokens of a real issuer."""

from __future__ import annotations

import time

import pytest

from runtime.storage.opening import open_store
from serving_layer.identity.api_keys import BadKey, create_key, described, list_keys, revoke_key
from serving_layer.identity.gate import LOOK_SECONDS
from serving_layer.identity.roster import write_roster
from tests.serving_layer.identity.conftest import ADVISES, OPERATOR, PERSONS, TEACHES

VIEW = "/views/video_total_watch_time"
WITHIN = LOOK_SECONDS * 4


def asked(closed, credential: str, path: str = VIEW):
    return closed.http.get(path, headers={"Authorization": f"Bearer {credential}"})


def until(holds) -> None:
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < deadline, f"it must hold within {WITHIN} s"
        time.sleep(0.2)


def test_a_login_is_somebody_of_the_roster(closed, issuer):
    token = issuer.token("GV001", role="lecturer")
    rows = asked(closed, token).json()["rows"]
    assert rows == closed.get(PERSONS[3], VIEW).json()["rows"] and {row["course_id"] for row in rows} == {"COURSE001"}
    student = issuer.token("SV001", role="student")
    assert {row["user_id"] for row in asked(closed, student).json()["rows"]} == {"SV001"}
    assert asked(closed, student, "/metrics").status_code == 403


def test_a_token_may_name_courses_and_students(closed, issuer):
    token = issuer.token("GV500", role="lecturer", courses=["COURSE002"])
    assert {row["course_id"] for row in asked(closed, token).json()["rows"]} == {"COURSE002"}
    token = issuer.token("AD500", role=["adviser", "student"], students=["SV001"])
    assert {row["user_id"] for row in asked(closed, token).json()["rows"]} == {"SV001"}


@pytest.mark.parametrize(
    "claims", [{}, {"role": "dean"}, {"role": ["Admin"]}, {"role": {"admin": True}}, {"role": None}]
)
def test_a_role_that_is_none_sees_nothing(closed, issuer, claims):
    answer = asked(closed, issuer.token("SV001", **claims))
    assert (answer.status_code, answer.json()["name"]) == (403, "role")


def test_a_token_for_another_service_is_refused(closed, issuer):
    answer = asked(closed, issuer.token("GV001", client="another", role="admin"))
    assert (answer.status_code, answer.json()["name"]) == (401, "authorization")


def test_a_revoked_key_opens_nothing_within_seconds(closed):
    key, text = create_key(closed.store, "admin", 1, note="to be revoked")
    until(lambda: asked(closed, text).status_code == 200)
    revoke_key(closed.store, key.id)
    until(lambda: asked(closed, text).status_code == 401)


def test_a_key_with_a_scope_opens_that_alone(closed):
    _, text = create_key(closed.store, "service", 1, scope=["video_total_watch_time", "active_users"])
    until(lambda: asked(closed, text).status_code == 200)
    assert asked(closed, text, "/realtime/active_users").status_code == 200
    for path in ("/views/auth_daily_active_users", "/realtime/failed_logins", "/metrics"):
        assert asked(closed, text, path).status_code == 403


def test_a_changed_roster_counts_within_seconds(closed):
    person = PERSONS[6]
    assert (person.role, person.id) == ("lecturer", "GV999") and closed.get(person, VIEW).status_code == 403
    try:
        write_roster(closed.store, {**TEACHES, "GV999": frozenset({"COURSE002"})}, ADVISES)
        until(lambda: closed.get(person, VIEW).status_code == 200)
        assert {row["course_id"] for row in closed.get(person, VIEW).json()["rows"]} == {"COURSE002"}
    finally:
        write_roster(closed.store, TEACHES, ADVISES)
    until(lambda: closed.get(person, VIEW).status_code == 403)


def test_a_damaged_roster_leaves_the_last_good_one(closed):
    whole = closed.store.read("roster.json")
    try:
        closed.store.write("roster.json", b"{broken")
        time.sleep(LOOK_SECONDS * 1.5)
        assert closed.get(PERSONS[3], VIEW).status_code == 200
        assert closed.get(PERSONS[6], VIEW).status_code == 403
    finally:
        closed.store.write("roster.json", whole)


def test_the_operator_s_key_is_an_admin_s(closed):
    assert asked(closed, OPERATOR).json()["rows"] == closed.get(PERSONS[0], VIEW).json()["rows"]
    assert asked(closed, OPERATOR[:-1]).status_code == 401


def test_keys_are_kept_as_hashes(tmp_path):
    store = open_store(str(tmp_path))
    key, text = create_key(store, "analyst", 30, note="notebooks")
    secret = text.split("_", 2)[2]
    stored = b"".join(store.read(entry.path) for entry in store.list())
    assert secret.encode() not in stored and len(secret) >= 43
    assert list_keys(store) == [key] and "digest" not in described(key)


def test_an_expired_key_is_none(tmp_path):
    from dataclasses import replace

    from serving_layer.identity.api_keys import key_of

    store = open_store(str(tmp_path))
    key, text = create_key(store, "admin", 1)
    assert key_of(text, {key.id: key}) == key
    assert key_of(text, {key.id: replace(key, expires_at=key.created_at)}) is None


def test_what_is_no_key_is_left_out(tmp_path):
    store = open_store(str(tmp_path))
    key, _ = create_key(store, "admin", 1)
    good = store.read(f"keys/{key.id}.json").decode()
    for number, text in enumerate(
        ("{", "[]", "{}", good.replace("admin", "root"), good.replace("+00:00", ""), good.replace("{", '{"more": 1, '))
    ):
        store.write(f"keys/{number:012}.json", text.encode())
    assert list_keys(store) == [key]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dean", 1), "role must be one of"),
        (("student", 1), "person must be named"),
        (("admin", 0), "days must be from 1"),
    ],
)
def test_what_makes_no_key_is_named(tmp_path, arguments, said):
    with pytest.raises(BadKey, match=said):
        create_key(open_store(str(tmp_path)), *arguments)


def test_only_keys_are_revoked(tmp_path):
    for name in ("none", "../roster", ""):
        with pytest.raises(BadKey, match="id must be that of a key"):
            revoke_key(open_store(str(tmp_path)), name)
