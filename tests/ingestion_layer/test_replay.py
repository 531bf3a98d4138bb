"""Real data as events: all valid, the same every time, and every row accounted for."""

import datetime as dt
import gzip
import json
import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from ingestion_layer.replay import FORMATS, Replay, ReplayError
from tests.ingestion_layer.test_producer import produce, told
from tests.oracle.validity import is_valid

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PATHS = {
    "moodle": SAMPLES / "moodle" / "events.csv",
    "oulad": SAMPLES / "oulad",
    "xapi": SAMPLES / "xapi" / "statements.jsonl",
    "caliper": SAMPLES / "caliper" / "events.jsonl",
    "edx": SAMPLES / "edx" / "tracking.log",
}
ARRIVED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def replayed(form: str, path: Path | None = None) -> tuple[list[tuple[str, bytes, dict]], Counter]:
    replay = Replay([path or PATHS[form]], form)
    records = list(replay)
    replay.notes()
    tally = replay.tally
    assert tally.read == tally.mapped + tally.reasons.total() and tally.events.total() == len(records)
    for topic, key, value in records:
        assert is_valid(topic, ARRIVED, value), value
        assert key.decode() == json.loads(value)["user_id"]
    return [(topic, key, json.loads(value)) for topic, key, value in records], tally.reasons


@pytest.mark.parametrize("form", PATHS)
def test_valid_unique_and_the_same_every_time(form):
    records, _ = replayed(form)
    assert records and records == replayed(form)[0]
    assert len({event["event_id"] for _, _, event in records}) == len(records)


def kinds_of(records: list[tuple[str, bytes, dict]]) -> Counter:
    return Counter(event["event_type"] for _, _, event in records)


def of_type(records: list[tuple[str, bytes, dict]], name: str) -> list[dict]:
    return [event for _, _, event in records if event["event_type"] == name]


def test_caliper_events_become_ours_and_the_rest_is_named():
    records, skipped = replayed("caliper")
    assert kinds_of(records) == {
        "LOGIN": 3, "LOGOUT": 2, "COURSE_VIEW": 2, "ACCESS_COURSE_MATERIAL": 4, "DOWNLOAD_MATERIAL": 2, "ITEM_CLICK": 2,
        "VIEW_ASSIGNMENT_FIRST_TIME": 2, "SUBMIT_ASSIGNMENT": 2, "GRADE_ASSIGNMENT": 2, "QUIZ_STARTED": 2,
        "QUIZ_COMPLETED": 2, "VIDEO_STARTED": 4, "VIDEO_PAUSED": 2, "VIDEO_SEEKED": 2, "VIDEO_COMPLETED": 2,
        "VIDEO_WATCHED": 6,
    }  # fmt: skip
    lines = PATHS["caliper"].read_bytes().splitlines()
    assert len(lines) == len(records) - kinds_of(records)["VIDEO_WATCHED"] + sum(skipped.values())
    assert skipped["no event with an eventTime"] == skipped["not JSON"] == 1
    firsts = kinds_of(records)["VIEW_ASSIGNMENT_FIRST_TIME"]
    assert skipped["MediaEvent Muted: says nothing that our events say"] == 2
    assert skipped["MediaEvent JumpedTo: says not from where"] == 2
    watched = [e["watch_duration_seconds"] for e in of_type(records, "VIDEO_WATCHED")]
    assert watched == [100, 20, 300] * 2, "played, then played up to a jump, then from there to the end"
    grade = of_type(records, "GRADE_ASSIGNMENT")[0]
    assert (grade["score"], grade["role"]) == (83.33, "teacher")
    assert grade["student_id"] == of_type(records, "SUBMIT_ASSIGNMENT")[0]["user_id"]
    assert [e["correct_answers"] for e in of_type(records, "QUIZ_COMPLETED")] == [67, 73]
    lines_ids = {json.loads(line)["id"].removeprefix("urn:uuid:") for line in lines[:-2]}
    made = ("VIDEO_WATCHED", "VIEW_ASSIGNMENT_FIRST_TIME")
    assert {e["event_id"] for _, _, e in records if e["event_type"] not in made} <= lines_ids
    assert len({e["event_id"] for _, _, e in records}) == len(records) and firsts == 2


def test_a_caliper_envelope_an_array_and_lines_say_the_same(tmp_path):
    envelope = SAMPLES / "caliper" / "envelope.json"
    expected = replayed("caliper", envelope)
    assert expected[0]
    document = json.loads(envelope.read_bytes())
    forms = {
        "array.json": json.dumps(document["data"]),
        "pretty.json": json.dumps(document["data"], indent=2),
        "envelopes.jsonl": "\n".join(json.dumps({**document, "data": [entry]}) for entry in document["data"]),
        "lines.jsonl": "\n".join(map(json.dumps, document["data"])),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        assert replayed("caliper", tmp_path / name) == expected, name


def test_edx_lines_become_ours_and_the_rest_is_named():
    records, skipped = replayed("edx")
    assert kinds_of(records) == {
        "COURSE_ENROLLED": 3, "COURSE_DROPPED": 1, "COURSE_VIEW": 3, "ACCESS_COURSE_MATERIAL": 6, "ITEM_CLICK": 6,
        "QUIZ_COMPLETED": 3, "SUBMIT_ASSIGNMENT": 3, "VIDEO_STARTED": 6, "VIDEO_PAUSED": 3, "VIDEO_SEEKED": 4,
        "VIDEO_COMPLETED": 3, "VIDEO_WATCHED": 9,
    }  # fmt: skip
    lines = PATHS["edx"].read_bytes().splitlines()
    assert len(lines) == len(records) - kinds_of(records)["VIDEO_WATCHED"] + sum(skipped.values())
    assert skipped["problem_check: the browser's copy, the server tells the answers"] == 3
    assert skipped["play_video: nobody's"] == 1
    answers = [(e["correct_answers"], e["total_questions"]) for e in of_type(records, "QUIZ_COMPLETED")]
    assert answers == [(1, 3), (2, 3), (3, 3)]
    assert [e["watch_duration_seconds"] for e in of_type(records, "VIDEO_WATCHED")] == [30, 10, 95] * 3


@pytest.mark.parametrize("form", ["caliper", "edx", "xapi"])
@pytest.mark.parametrize("odd", ["{}", "[]", "5", "null", '{"eventTime": 5}', '{"time": "2026-03-01T00:00:00Z"}', "["])
def test_odd_documents_are_counted(form, odd, tmp_path):
    path = tmp_path / "odd.json"
    path.write_text(odd + "\n")
    replay = Replay([path], form)
    assert list(replay) == []
    assert replay.tally.reasons.total() == replay.tally.read == (odd not in ("[]", "["))


def test_every_field_may_be_wrong(tmp_path):
    """Whatever one member holds, the row becomes valid events or is counted; it is never an error."""
    for form in ("caliper", "edx", "xapi"):
        lines = PATHS[form].read_bytes().splitlines()[:40]
        for number, line in enumerate(lines):
            document = json.loads(line) if line.startswith(b"{") else {}
            for name in document:
                wrong = (None, 5, "x" * 200, [], {}, {"id": 7})[(number + len(name)) % 6]
                path = tmp_path / f"{form}.json"
                path.write_text(json.dumps(document | {name: wrong}))
                records, skipped = replayed(form, path)
                assert records or skipped, (form, name, wrong)


def test_our_own_lines_go_out_as_they_are(tmp_path):
    path = tmp_path / "events.jsonl"
    good = b'{"event_category": "VIDEO",  "user_id": "SV001"}'
    path.write_bytes(good + b"\nnope\n[]\n" + b'{"event_category": "WEATHER"}\n\n')
    replay = Replay([path], "events")
    assert list(replay) == [("video_topic", b"SV001", good)]
    assert (replay.tally.read, replay.tally.mapped, replay.tally.reasons.total(), replay.tally.invalid) == (4, 1, 3, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_unusable_data_is_named(form, tmp_path):
    with pytest.raises(ReplayError, match="file must exist"):
        Replay([tmp_path / "missing"], form)
    with pytest.raises(ReplayError, match="folder must have files"):
        Replay([tmp_path], form)


@pytest.mark.parametrize("form", ["events", "xapi", "caliper", "edx", "moodle"])
def test_a_packed_file_that_is_cut_costs_its_rest(form, tmp_path):
    path = PATHS.get(form, tmp_path / "events.jsonl")
    if form == "events":
        produce("--events", 50, "--seed", 3, "--output", path)
    packed = gzip.compress(path.read_bytes())
    (tmp_path / "cut").write_bytes(packed[: len(packed) - 20])
    replay = Replay([tmp_path / "cut"], form)
    assert list(replay)
    assert replay.tally.reasons["the packed file is damaged or cut short from here on"] == 1


def test_a_zip_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "statements.zip", "w") as archive:
        archive.write(PATHS["xapi"], "statements.jsonl")
    with pytest.raises(ReplayError, match="must be plain or gzip, or an unpacked folder; got a zip archive"):
        Replay([tmp_path / "statements.zip"], "xapi")


@pytest.mark.parametrize("form", ["moodle", "oulad", "xapi", "caliper", "edx", "events"])
def test_a_workbook_among_other_files_costs_itself(form, tmp_path):
    kept = PATHS.get(form, tmp_path / "kept")
    if form == "events":
        kept.write_text('{"event_category": "VIDEO", "user_id": "SV001"}\n')
    for path in kept.iterdir() if kept.is_dir() else [kept]:
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / path.name).write_bytes(path.read_bytes())
    plain = list(Replay([tmp_path / "folder"], form))
    with zipfile.ZipFile(tmp_path / "folder" / "notes.xlsx", "w") as archive:
        archive.writestr("sheet.xml", "<a/>")
    replay = Replay([tmp_path / "folder"], form)
    assert sorted(replay) == sorted(plain)
    assert sum("zip archive" in reason and number for reason, number in replay.tally.reasons.items()) == 1


@pytest.mark.parametrize("row", ["SV1", "SV1,yesterday,Course: x,System,Course viewed", "x" * 200_000])
def test_a_damaged_row_costs_itself(row, tmp_path):
    good = "SV1,2026-03-01T10:00:00,Course: x,System,Course viewed"
    (tmp_path / "events.csv").write_text(f"user,timecreated,Event.context,Component,Event.name\n{row}\n{good}\n{row}\n")
    records, skipped = replayed("moodle", tmp_path / "events.csv")
    assert len(records) == 1 and skipped.total() == 2


def test_a_replay_takes_the_options_too(tmp_path):
    sample = PATHS["moodle"]
    replay = ("--replay", sample, "--format", "moodle", "--output", "-")
    whole = produce(*replay).stdout.splitlines()
    assert produce(*replay, "--events", 50).stdout.splitlines() == whole[:50]
    doubled = produce(*replay, "--duplicates", 0.5, "--invalid", 0.2)
    lines = doubled.stdout.splitlines()
    assert set(whole) <= set(lines) and len(lines) == len(whole) + sum(
        int(told(doubled)[kind]) for kind in ("duplicates", "invalid")
    )


@pytest.mark.parametrize("form", ["events", "xapi", "caliper", "edx"])
@pytest.mark.parametrize("data", [b"user,timecreated\nSV1,2026-03-01\n", random.Random(1).randbytes(5000), b"[1]"])
def test_a_replay_without_an_event_fails(form, data, tmp_path):
    (tmp_path / "data").write_bytes(data)
    done = produce("--replay", tmp_path / "data", "--format", form, "--output", tmp_path / "out")
    said = told(done)
    assert done.returncode == 1 and "sent 0 events" in done.stderr.decode()
    assert said["producer"].startswith(f"--replay {tmp_path / 'data'}: must be {form} data; got no event from ")
    assert int(said["rows that became no event"]) > 0 and (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("form", ["events", "xapi", "caliper", "edx", "moodle"])
def test_an_empty_file_has_nothing_to_replay(form, tmp_path):
    (tmp_path / "empty").touch()
    done = produce("--replay", tmp_path / "empty", "--format", form, "--output", "-")
    assert done.returncode == 1 and told(done)["producer"].endswith(f"must be {form} data; got no row")


def test_its_own_output_can_be_replayed(tmp_path):
    produce("--events", 300, "--seed", 9, "--output", tmp_path / "first")
    produce("--replay", tmp_path / "first", "--format", "events", "--output", tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_mappings_are_documented():
    text = (SAMPLES.parents[1] / "docs" / "replay-mappings.md").read_text()
    types = {event["event_type"] for form in PATHS for _, _, event in replayed(form)[0]}
    assert all(f"`{name}`" in text for name in types)
