"""Who is erased is nowhere, for everyone else nothing changes, and nothing brings the person back."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace

import pytest
from starlette.requests import Request

from batch_layer.publication import publish
from batch_layer.run_batch_jobs import compute, new_run
from batch_layer.topic_task import BatchError
from catalogue.at_rest.erasures import ErasureError, add_people, read_erasures
from catalogue.at_rest.raw_files import RawName
from catalogue.at_rest.runs import current
from catalogue.events import JOBS
from deployment.persons.erasure import again as relieve_again
from deployment.persons.erasure import preview
from deployment.persons.remains import remains
from serving_layer.advising.advice import Advices
from serving_layer.advising.thresholds import history_of
from serving_layer.disclosure.chains import shown_of, verify
from serving_layer.disclosure.recorder import Recorder
from serving_layer.identity import api_keys
from serving_layer.identity.roster import read_roster, write_roster
from serving_layer.identity.sessions import Sessions
from serving_layer.identity.viewer import Viewer
from tests.deployment.persons.keeping import Kept, again, check_all, names
from tests.laws.test_merged import opened, settle
from tests.oracle.histories import landed


@pytest.mark.parametrize("person", ["SV001", "foreign/ü ☃", "GV001"])
def test_nothing_is_left_and_everyone_else_s_answers_are_exact(platform, person):
    state = opened(platform)
    try:
        check_all(platform, state)
        assert remains(platform.places, [person])[0]
        certificate = platform.erase(person)
        platform.gone = {person}
        assert remains(platform.places, [person])[0] == {} == certificate.remains
        assert certificate.events == sum(names(r, {person}) for r in landed(platform.records) if platform.has_landed(r))
        assert len(certificate.dropped_runs) == 2 and current(platform.batch)[0].run == certificate.run
        settle(state)
        check_all(platform, state)
        platform.speed = platform.new_speed()
        platform.micro_batch(0.5)
        settle(state)
        check_all(platform, state)
        platform.ingest(1.0)
        platform.run()
        platform.micro_batch(1.0)
        settle(state)
        check_all(platform, state)
        assert remains(platform.places, [person])[0] == {}, "what arrived afterwards names nobody either"
    finally:
        state.stop()


def test_what_isn_t_even_text_is_left_by_them_too(platform: Kept):
    """The quarantine has it in base64."""
    value = base64.b64encode(b'\xff{"event_type":"LOGIN","user_id":"SV001"}').decode()
    place = {"topic": "auth_topic", "partition": 0, "offset": 0, "kafka_timestamp": "2026-03-01T08:00:00.000Z"}
    line = json.dumps({**place, "reason": "not_utf8", "detail": "", "value": value, "value_encoding": "base64"})
    path = RawName("auth_topic", "2026-03-01", 0, 0, 0, 9).path
    platform.places.quarantine.write(path, gzip.compress(line.encode()))
    assert f"quarantine/{path}" in remains(platform.places, ["SV001"])[0]
    platform.erase("SV001")
    assert remains(platform.places, ["SV001"])[0] == {}
    assert gzip.decompress(platform.places.quarantine.read(path)) == b""


def test_roster_keys_and_advice_are_left(platform: Kept):
    certificate = platform.erase("SV001")
    assert (certificate.roster_entries, certificate.keys_revoked) == (1, 1)
    assert read_roster(platform.places.identity)[0].advises == {"GV001": frozenset({"SV002"})}
    assert api_keys.list_keys(platform.places.identity) == []
    (left,) = Advices(platform.places.identity).of()
    assert (left.student, left.text) == ("SV002", "Learns with ….")
    assert [len(history_of(platform.places.identity, person)) for person in ("SV001", "GV001")] == [0, 1]


def test_nobody_s_login_or_note_names_them(platform: Kept):
    """Their own login, that of who advises them by a token, and the note of a key: all would be found at the end."""
    store = platform.places.identity
    sessions = Sessions(store, 3600)
    theirs, adviser, other = (
        sessions.begin(viewer).cookie
        for viewer in (
            Viewer("student", "SV001"),
            Viewer("adviser", "GV001", students=frozenset({"SV001", "SV0011"})),
            Viewer("adviser", "GV002", students=frozenset({"SV0011"})),
        )
    )
    key = api_keys.create_key(store, "service", 1, note="for SV001's page, not SV0011's")[1]
    certificate = platform.erase("SV001")
    assert (certificate.logins_ended, certificate.keys_revoked, certificate.remains) == (2, 1, {})
    fresh = Sessions(store, 3600)
    assert [bool(fresh.read(cookie)) for cookie in (theirs, adviser, other)] == [False, False, True]
    (left,) = api_keys.list_keys(store)
    assert left.note == "for …'s page, not SV0011's" and api_keys.key_of(key, {left.id: left})


@pytest.mark.parametrize("person", ["admin", "11", "COURSE001"])
def test_an_id_that_means_something_else_too_is_erased(platform: Kept, person):
    """Moodle has a user `admin`, Open edX numbers, and manifests and keys have such words and numbers as well."""
    store = platform.places.identity
    write_roster(store, {"GV001": frozenset({person})}, {"GV001": frozenset({person, "SV002"})})
    api_keys.create_key(store, "admin", 1)
    line = {"topic": "auth_topic", "partition": 0, "offset": 10**6, "kafka_timestamp": "2026-03-02T08:00:00.000Z"}
    value = {"event_category": "AUTH", "event_type": "LOGIN", "user_id": person, "role": "admin", "session_id": "S1"}
    value |= {"event_id": "00000000-0000-4000-8000-00000000000b", "timestamp": "2026-03-02 08:00:00"}
    path = RawName("auth_topic", "2026-03-02", 0, 10**6, 10**6, 9).path
    platform.places.raw.write(path, gzip.compress(json.dumps({**line, "value": value}).encode()))
    certificate = platform.erase(person)
    assert certificate.objects[f"raw/{path}"].lines == 1 and certificate.roster_entries == 1
    roster = read_roster(store)[0]
    assert roster.teaches == {"GV001": frozenset({person})}, "a course may have that name too"
    assert roster.advises == {"GV001": frozenset({"SV002"})}
    assert json.loads(gzip.decompress(platform.places.raw.read(path)))["value"] == {"erased": True}
    assert remains(platform.places, [person]).named == []


def test_a_purpose_that_names_them_is_left_by_them(platform: Kept):
    """Whoever asks writes it: it must stop nobody's erasure."""
    recorder = Recorder(replace(platform.settings, authentication="required"))
    asked = Request({"type": "http", "headers": [(b"x-purpose", b"a talk with SV001 and SV002")]})
    recorder.note(Viewer("adviser", "GV001"), "video_popularity", {"SV002"}, {"run": None, "head": None}, asked)
    recorder.note(
        Viewer("analyst", "", credential="token SV001"), "advice", {"SV002"}, {"run": None, "head": None}, asked
    )
    recorder.write()
    assert platform.erase("SV001").remains == {}
    first, second = shown_of(platform.places.disclosure, "SV002")
    assert first["purpose"] == second["purpose"] == "a talk with … and SV002"
    assert (first["who"], second["who"], second["by"]) == ("GV001", "somebody who was erased", "token")
    assert verify(platform.places.disclosure)[0] == []


def test_a_replay_brings_nobody_back(platform: Kept):
    platform.erase("SV001")
    platform.gone = {"SV001"}
    platform.records = again(platform.records, platform.gone)
    platform.speed = platform.new_speed()
    platform.ingest()
    platform.run()
    platform.micro_batch(1.0)
    state = opened(platform)
    try:
        check_all(platform, state)
    finally:
        state.stop()
    assert remains(platform.places, ["SV001"])[0] == {}


def test_a_restored_backup_brings_nobody_back(platform: Kept):
    backup = {e.path: platform.places.raw.read(e.path) for e in platform.places.raw.list("topic=")}
    platform.erase("SV001")
    platform.gone = {"SV001"}
    for path, data in backup.items():
        platform.places.raw.write(path, data)
    for path in ("_current.json", *(e.path for e in platform.batch.list("_state/"))):
        platform.batch.delete([path])  # everything is computed from raw
    platform.speed = platform.new_speed()
    platform.run()
    state = opened(platform)
    try:
        check_all(platform, state)
    finally:
        state.stop()
    assert remains(platform.places, ["SV001"])[0]
    relieve_again(platform.places, read_erasures(platform.places.raw, platform.settings.erasure_key))
    assert remains(platform.places, ["SV001"])[0] == {}


def test_several_people_go_together_and_one_after_the_other(platform: Kept):
    platform.erase("SV001", "SV002")
    platform.erase("SV003")
    platform.gone = {"SV001", "SV002", "SV003"}
    assert remains(platform.places, platform.gone)[0] == {}
    platform.speed = platform.new_speed()
    platform.micro_batch(1.0)
    state = opened(platform)
    try:
        check_all(platform, state)
    finally:
        state.stop()


def test_a_dry_run_changes_nothing(platform: Kept):
    before = {f"{s.uri}/{e.path}": e.etag for s in platform.places.all.values() for e in s.list()}
    found = preview(platform.places, ["SV001"])
    assert sum(account.lines for account in found.values()) > 0
    assert {f"{s.uri}/{e.path}": e.etag for s in platform.places.all.values() for e in s.list()} == before


def test_a_run_that_began_before_isn_t_published(platform: Kept):
    run = new_run()
    results = compute(run, list(JOBS), True, platform.places.raw, platform.batch, platform.settings)
    platform.erase("SV001")
    with pytest.raises(BatchError, match="somebody was erased since the run began; run it again"):
        publish(platform.batch, run, results)


def test_a_run_of_one_job_in_between_hides_no_other_topic(platform: Kept):
    add_people(platform.places.raw, platform.settings.erasure_key or "", ["SV001"])
    run = new_run()
    publish(platform.batch, run, compute(run, ["video"], False, platform.places.raw, platform.batch, platform.settings))
    published = current(platform.batch)[0]
    assert published.erased == "" and set(published.erasures) == {"video_topic"}
    certificate = platform.erase("SV001")
    assert current(platform.batch)[0].erased == certificate.version
    assert remains(platform.places, ["SV001"])[0] == {}


@pytest.mark.parametrize("key", [None, "another key, which is long enough too"])
def test_without_the_key_nobody_goes_on(platform, key):
    add_people(platform.places.raw, platform.settings.erasure_key or "", ["SV001"])
    platform.settings = replace(platform.settings, erasure_key=key)
    with pytest.raises(ErasureError, match="setting ERASURE_KEY: must be the key by which people were erased"):
        platform.run()
