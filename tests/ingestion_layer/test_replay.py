"""Real data as events: all valid, the same every time, and every row accounted for."""

import csv
import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest

from ingestion_layer.replay import FORMATS, Replay
from ingestion_layer.replay.source import ReplayError
from ingestion_layer.replay.xapi import _new_spans
from tests.oracle.validity import is_valid

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PATHS = {
    "moodle": SAMPLES / "moodle" / "events.csv",
    "oulad": SAMPLES / "oulad",
    "xapi": SAMPLES / "xapi" / "statements.jsonl",
}
ARRIVED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def replayed(form: str) -> tuple[list[tuple[str, bytes, dict]], Counter]:
    replay = Replay(PATHS[form], form)
    records = list(replay)
    for topic, key, value in records:
        assert is_valid(topic, ARRIVED, value), value
        assert key.decode() == json.loads(value)["user_id"]
    return [(topic, key, json.loads(value)) for topic, key, value in records], replay.skipped


@pytest.mark.parametrize("form", PATHS)
def test_valid_unique_and_the_same_every_time(form):
    records, _ = replayed(form)
    assert records and records == replayed(form)[0]
    assert len({event["event_id"] for _, _, event in records}) == len(records)


def test_every_moodle_row_is_mapped_or_named():
    records, skipped = replayed("moodle")
    with open(PATHS["moodle"], newline="") as log, open(SAMPLES / "moodle" / "results.csv", newline="") as results:
        grades = [value for row in csv.DictReader(results) for name, value in row.items() if name != "user"]
        assert len(records) + sum(skipped.values()) == len(list(csv.DictReader(log))) + len(grades)
    folder = [(topic, key, json.loads(value)) for topic, key, value in Replay(PATHS["moodle"].parent, "moodle")]
    assert folder == records
    kinds = Counter(event["event_type"] for _, _, event in records)
    assert {"COURSE_VIEW", "VIEW_ASSIGNMENT_FIRST_TIME", "ACCESS_COURSE_MATERIAL", "GRADE_ASSIGNMENT"} <= set(kinds)
    firsts = [
        (e["user_id"], e["assignment_id"]) for _, _, e in records if e["event_type"] == "VIEW_ASSIGNMENT_FIRST_TIME"
    ]
    assert len(firsts) == len(set(firsts))


def test_oulad_keeps_the_day_and_names_what_it_leaves_out():
    records, skipped = replayed("oulad")
    assert skipped["assessment: banked from an earlier presentation"]
    enrolled = {e["user_id"]: e for _, _, e in records if e["event_type"] == "COURSE_ENROLLED"}
    with open(SAMPLES / "oulad" / "studentRegistration.csv", newline="") as file:
        for row in csv.DictReader(file):
            day = dt.date(2013, 10, 1) + dt.timedelta(days=int(float(row["date_registration"])))
            assert enrolled[row["id_student"]]["timestamp"].startswith(day.isoformat())


def test_watched_spans_count_each_second_once():
    ends: dict[float, float] = {}
    assert _new_spans("0[.]10.2", ends) == [10]
    assert _new_spans("0[.]10.2[,]50[.]60", ends) == [10]
    assert _new_spans("0[.]12.2[,]50[.]60[,]70", ends) == [2]
    assert _new_spans("", ends) == []


def test_our_own_lines_go_out_as_they_are(tmp_path):
    path = tmp_path / "events.jsonl"
    good = b'{"event_category": "VIDEO",  "user_id": "SV001"}'
    path.write_bytes(good + b"\nnope\n[]\n" + b'{"event_category": "WEATHER"}\n\n')
    replay = Replay(path, "events")
    assert list(replay) == [("video_topic", b"SV001", good)]
    assert sum(replay.skipped.values()) == 3


@pytest.mark.parametrize("form", FORMATS)
def test_unusable_data_is_named(form, tmp_path):
    with pytest.raises(ReplayError, match="file must exist"):
        Replay(tmp_path / "missing", form)
    path = tmp_path / "cut.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(ReplayError):
        list(Replay(path, form))


def test_mappings_are_documented():
    text = (SAMPLES.parents[1] / "docs" / "replay-mappings.md").read_text()
    types = {event["event_type"] for form in PATHS for _, _, event in replayed(form)[0]}
    assert all(f"`{name}`" in text for name in types)
