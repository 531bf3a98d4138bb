"""What is exported are the events that count, whole, and they are the same again for whoever reads them."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import orjson
import pytest

from catalogue.at_rest.erasures import NOBODY, Erasures, keyed_hash
from catalogue.events import EVENT_TYPES, TOPICS
from catalogue.events.exchange import CARRIED
from ingestion_layer.collecting.caliper import _events as taken_envelope
from ingestion_layer.collecting.xapi.validation import check_statement
from ingestion_layer.replay import Replay
from ingestion_layer.replay.live import Live
from ingestion_layer.replay.row import Unmapped
from runtime.storage.opening import open_store
from serving_layer.errors import TookTooLong
from serving_layer.export.caliper import TERMS
from serving_layer.export.counted_events import CountedEvents, Wanted
from serving_layer.export.documents import STANDARDS, Document
from serving_layer.export.events import Event
from serving_layer.export.iris import iri
from serving_layer.export.xapi import VERBS
from serving_layer.identity.sight import WHOLE
from tests.oracle import histories
from tests.oracle import validity as v
from tests.oracle.counting import Record, count_once
from tests.oracle.histories import PEOPLE, POOLS, START, history, write_raw

PAGE = Path(__file__).resolve().parents[3] / "docs" / "exports.md"
DAYS = 7
# What a reader that knows nothing of our extension makes of the same types, by the words of the standard alone.
SHARED = (
    "LOGIN LOGOUT SUBMIT_ASSIGNMENT QUIZ_STARTED QUIZ_COMPLETED GRADE_ASSIGNMENT VIDEO_STARTED VIDEO_PAUSED "
    "VIDEO_COMPLETED VIDEO_SEEKED COURSE_VIEW COURSE_ENROLLED COURSE_DROPPED ITEM_CLICK ACCESS_COURSE_MATERIAL "
    "DOWNLOAD_MATERIAL"
)
BY_WORDS = {
    "xapi": {*SHARED.split()},
    "caliper": {*SHARED.split(), "SESSION_EXPIRED", "VIEW_ASSIGNMENT_FIRST_TIME"},
}


@pytest.fixture(scope="module")
def records():
    """A history, and a quiz whose number of questions is known, before another one behind the cut."""
    rng, made = Random(7), history(7, 1200)
    for offset in (0, 1):
        quiz = histories.event(rng, "assessment_topic", "QUIZ_COMPLETED", START) | {
            "correct_answers": 70,
            "total_questions": 100,
        }
        made.append(Record("assessment_topic", 9, offset, START, json.dumps(quiz).encode()))
    return made


@pytest.fixture(scope="module")
def raw(records, tmp_path_factory):
    """A raw folder with lines in any order, some of them twice, and a cut below which most of it lies."""
    folder = tmp_path_factory.mktemp("raw")
    write_raw(folder, records, repeats=0.1, seed=7)
    cut: dict[str, dict[str, int]] = {}
    for topic, partition in {(r.topic, r.partition) for r in records}:
        offsets = sorted(r.offset for r in records if (r.topic, r.partition) == (topic, partition))
        cut.setdefault(topic, {})[str(partition)] = offsets[len(offsets) * 9 // 10]
    return open_store(str(folder)), cut


def found(raw, wanted: Wanted, erased: Erasures = NOBODY) -> list[Event]:
    store, cut = raw
    events = CountedEvents(store, cut, wanted, WHOLE, DAYS, erased)
    try:
        return list(events)
    finally:
        events.close()


@pytest.fixture(scope="module")
def everything(raw) -> list[Event]:
    return found(raw, Wanted())


def expected(records, cut) -> dict[str, list]:
    below = [r for r in records if r.offset < cut[r.topic][str(r.partition)]]
    return {topic: count_once(topic, below).events for topic in TOPICS}


def told(kind: str, fields: dict) -> dict:
    """The fields of a type, as the oracle and the product both name them."""
    named = v.RULES[next(t.name for t in TOPICS.values() if EVENT_TYPES[kind] in t.event_types)][1][kind]
    return {name: fields[name] for name in named}


def test_the_events_are_those_that_the_oracle_counts(raw, records, everything):
    right = Counter(
        json.dumps([e.type, e.user_id, str(e.ts), e.event_id, told(e.type, e.fields)], sort_keys=True, default=str)
        for events in expected(records, raw[1]).values()
        for e in events
    )
    got = Counter()
    for event in everything:
        fields = dict(event.told)
        if "score" in fields:
            fields["score"] = round(fields["score"] * 100)
        name = event.type.name
        parts = [name, fields["user_id"], f"{event.moment}+00:00", fields.get("event_id"), told(name, fields)]
        got[json.dumps(parts, sort_keys=True, default=str)] += 1
    assert {event.type.name for event in everything} == EVENT_TYPES.keys()
    assert got == right


def test_each_event_has_an_id_that_stays(raw, everything):
    again = found(raw, Wanted())
    assert [event.key for event in again] == [event.key for event in everything]
    places = Counter(event.key for event in everything)
    known = Counter(event.told["event_id"] for event in everything if "event_id" in event.told)
    # One id twice is that of an event that came again after the horizon.
    assert sum(places.values()) - len(places) == sum(known.values()) - len(known)


def test_a_person_or_a_course_or_a_time_is_chosen(raw, records, everything):
    course, person = POOLS["course_id"][2], PEOPLE[7]
    in_course = [e for e in everything if e.told.get("course_id") == course]
    assert in_course and found(raw, Wanted(courses=(course,))) == in_course
    own = [e for e in everything if person in (e.told["user_id"], e.person)]
    assert own and found(raw, Wanted(persons=(person, "a b"))) == own
    assert found(raw, Wanted((person,), (course,))) == [e for e in own if e.told.get("course_id") == course]
    times = sorted(e.arrived for e in everything)
    since, until = str(times[len(times) // 3]), str(times[len(times) // 2])
    within = [e for e in everything if since < str(e.arrived) <= until]
    assert within and found(raw, Wanted(since=since, until=until)) == within
    assert found(raw, Wanted(persons=("nobody'; DROP TABLE ids; --",))) == []


def test_it_ends_where_it_takes_too_long(raw):
    store, cut = raw
    with pytest.raises(TookTooLong, match="less time"):
        CountedEvents(store, cut, Wanted(), WHOLE, DAYS, NOBODY, ends=0)
    events = CountedEvents(store, cut, Wanted(), WHOLE, DAYS, NOBODY)
    events.ends = 0
    with pytest.raises(TookTooLong):
        list(events)
    events.close()


def test_who_was_erased_is_left_out_while_files_still_name_them(raw, everything):
    key = "k" * 32
    gone = Erasures("1-x", frozenset((keyed_hash(key, "SV001"),)), key)
    kept = [e for e in everything if "SV001" not in (e.told["user_id"], e.told.get("student_id"))]
    assert len(kept) < len(everything) and found(raw, Wanted(), gone) == kept


@pytest.fixture(scope="module")
def documents(raw) -> dict[str, bytes]:
    """The whole of it in each standard."""
    store, cut = raw
    found = {}
    for standard, form in STANDARDS.items():
        shown: set[str] = set()
        ended: list[bool] = []
        events = CountedEvents(store, cut, Wanted(), WHOLE, DAYS, NOBODY)
        pieces = list(Document(form, events, WHOLE, shown.update, partial(ended.append, True)))
        assert len(pieces) > 1 and ended == [True] and shown >= {*PEOPLE} and not events.folder.exists()
        found[standard] = b"".join(pieces)
    return found


@pytest.mark.parametrize("standard", STANDARDS)
def test_our_own_readers_take_it_and_have_the_events_again(documents, everything, standard, tmp_path):
    whole = orjson.loads(documents[standard])
    rows = whole["statements" if standard == "xapi" else "data"]
    if standard == "xapi":
        for row in rows:
            check_statement(row)
    else:
        assert taken_envelope(orjson.dumps(whole)) == rows
    live = Live(standard)
    assert len(rows) == len(everything)
    for event, row in zip(everything, rows, strict=True):
        ((topic, user, value),) = live.events(row)
        again = orjson.loads(value)
        assert again == {"event_id": event.key, **event.told} and user.decode() == event.told["user_id"]
        assert EVENT_TYPES[again["event_type"]] in TOPICS[topic].event_types
    (tmp_path / "export.json").write_bytes(orjson.dumps(whole))
    by_file = {value for _, _, value in Replay([tmp_path / "export.json"], standard)}
    assert by_file == {value for row in rows for _, _, value in live.events(row)}


@pytest.mark.parametrize("standard", STANDARDS)
def test_the_standard_s_own_words_say_the_same_to_other_readers(documents, everything, standard):
    live, same = Live(standard), set()
    rows = orjson.loads(documents[standard])["statements" if standard == "xapi" else "data"]
    for event, row in zip(everything, rows, strict=True):
        row.get("context", row)["extensions"].pop(CARRIED)
        if event.type.name == "GRADE_ASSIGNMENT" and standard == "xapi":
            row["actor"]["account"] = {"homePage": "https://a.example", "name": "b"}  # a long one is cut short
        try:
            made = [orjson.loads(value) for _, _, value in live.events(row)]
        except Unmapped:
            continue
        for one in made:
            if one["event_type"] != event.type.name:
                continue
            same.add(event.type.name)
            # Caliper's times are of milliseconds.
            told = event.moment.isoformat(" ", "microseconds" if standard == "xapi" else "milliseconds")
            assert one["timestamp"] == told.ljust(26, "0")
            for name in ("position_seconds", "from_seconds", "to_seconds"):
                assert one.get(name) == event.told.get(name)
            if one["event_type"] == "GRADE_ASSIGNMENT":
                assert one["score"] == event.told["score"]
            if "course_id" in one and len(iri("course", event.told["course_id"])) <= 128:
                assert one["course_id"] == iri("course", event.told["course_id"])
    assert same == BY_WORDS[standard]


def test_the_page_says_which_words_are_used():
    rows = {
        cells[0]: cells[1:]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[A-Z_]+` \|", line)
        for cells in [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")]]
    }
    assert {*VERBS, *TERMS} <= rows.keys() <= EVENT_TYPES.keys(), (
        "a type that was added needs no row until it has words"
    )
    for name in rows:
        own = name.lower().replace("_", "-")
        verb = VERBS.get(name, f"urn:learning-analytics:verb:{own}")
        action = " ".join(TERMS[name][1:]) if name in TERMS else f"Event urn:learning-analytics:action:{own}"
        by_words = " and ".join(s for s in ("xapi", "caliper") if name in BY_WORDS[s]) or "neither"
        assert rows[name] == [verb, action, by_words.replace("xapi", "xAPI").replace("caliper", "Caliper")], name


@pytest.mark.parametrize("name", ["a b", "ü", "urn:learning-analytics:course:A", "http://a b", "x\0y", "🙂" * 128, "A"])
def test_different_ids_stay_different_iris(name):
    others = ("A", "a%20b", "urn:x", "http://a%20b")
    assert re.fullmatch(r"[a-z]+:[^\s<>\"{}|\\^`]+", iri("course", name))
    assert iri("course", name) not in {iri("course", other) for other in others if other != name}
