"""What the user says of a replay, and what it tells the user."""

import json
from datetime import UTC, datetime

import pytest

from ingestion_layer import producer
from ingestion_layer.replay.moments import Clock, stamp

STATEMENT = {
    "actor": {"account": {"homePage": "https://lms.example.org", "name": "ada"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/downloaded"},
    "object": {"id": "https://lms.example.org/notes.pdf"},
    "timestamp": "2026-03-08T10:00:00",
}


def run(folder, capsys, *options: object) -> tuple[int, list[dict], str]:
    status = producer.main([*map(str, options), "--output", str(folder / "out")])
    events = [json.loads(line) for line in (folder / "out").read_bytes().splitlines()]
    return status, events, capsys.readouterr().err


def test_zone_course_and_role(tmp_path, capsys):
    (tmp_path / "in").write_text(json.dumps(STATEMENT))
    options = ("--timezone", "Asia/Ho_Chi_Minh", "--course", "ALG-1", "--default-role", "student")
    status, events, _ = run(tmp_path, capsys, "--replay", tmp_path / "in", "--format", "xapi", *options)
    assert status == 0 and len(events) == 1
    told = (events[0]["timestamp"], events[0]["course_id"], events[0]["role"], events[0]["user_id"])
    assert told == ("2026-03-08 03:00:00.000000", "ALG-1", "student", "ada@https://lms.example.org")


def test_summary_and_rejected_rows(tmp_path, capsys):
    page = "https://lms.example.org/people/ada@example.org"
    odd = {**STATEMENT, "verb": {"id": f"https://example.org/{page}"}}
    rows = [json.dumps({**STATEMENT, "timestamp": f"2026-03-08T10:00:0{n}Z"}) for n in range(3)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a").write_text("\n".join([rows[0], "no JSON", rows[1]]))
    (tmp_path / "logs" / "b").write_text("\n".join([json.dumps(odd), rows[2], rows[0]]))
    options = ("--course", "c", "--rejected", tmp_path / "rejected", "--summary", tmp_path / "summary")
    status, events, said = run(tmp_path, capsys, "--replay", tmp_path / "logs", "--format", "xapi", *options)
    summary = json.loads((tmp_path / "summary").read_bytes())
    assert status == 0 and len(events) == 3
    assert summary["rows"] == {"read": 6, "mapped": 4, "unmapped": 2, "repeated": 1}
    assert sum(summary["reasons"].values()) == 2 and summary["events"] == {"DOWNLOAD_MATERIAL": 3}
    rejected = [json.loads(line) for line in (tmp_path / "rejected").read_bytes().splitlines()]
    assert [(row["file"].rpartition("/")[2], row["row"]) for row in rejected] == [("a", 2), ("b", 1)]
    assert [row["reason"] for row in rejected] == ["not JSON", "…: says nothing that our events say"]
    for text in (
        "rows read: 6",
        "rows mapped: 4",
        "rows that became no event: 2",
        "  not JSON: 1",
        "DOWNLOAD_MATERIAL: 3",
    ):
        assert text in said
    assert "ada" not in said.replace(str(tmp_path), "") and "://" not in said


def test_rows_that_are_not_reached_are_counted(tmp_path, capsys):
    lines = [json.dumps({**STATEMENT, "timestamp": f"2026-03-08T10:00:0{n}Z"}) for n in range(5)]
    (tmp_path / "in").write_text("\n".join(lines))
    options = ("--format", "xapi", "--course", "c", "--events", 2)
    status, events, said = run(tmp_path, capsys, "--replay", tmp_path / "in", *options)
    assert status == 0 and len(events) == 2
    assert "rows that became no event: 3\n  not reached, as the replay ended before: 3" in said


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--timezone", "Mars/Olympus"), "argument --timezone: must be a zone as Asia/Ho_Chi_Minh; got 'Mars/Olympus'"),
        (("--course", ""), "argument --course: must be the identifier of a course; got ''"),
        (("--summary", "x"), "--summary needs --replay FILE"),
    ],
)
def test_options_that_are_wrong(options, told, capsys):
    with pytest.raises(SystemExit) if told.startswith("argument") else pytest.MonkeyPatch.context():
        assert producer.main([*options, "--output", "-"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00", "2026-03-01 09:00:00"),
        ("2026-07-01 10:00:00", "2026-07-01 08:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25 00:30:00"),
        ("2026-03-29T02:30:00", "2026-03-29 01:30:00"),
        ("2026-07-01T10:00:00+07:00", "2026-07-01 03:00:00"),
        ("2026-07-01T10:00:00.5Z", "2026-07-01 10:00:00.5"),
        (1772359200, "2026-03-01 10:00:00"),
        ("1772359200.25", "2026-03-01 10:00:00.25"),
        (1772359200123, "2026-03-01 10:00:00.123"),
    ],
)
def test_moments(text, expected):
    clock = Clock("Europe/Berlin", datetime(2026, 12, 1, tzinfo=UTC))
    assert datetime.fromisoformat(stamp(clock.read(text))) == datetime.fromisoformat(expected)
    ambiguous = {"2026-10-25T02:30:00": "came twice, read as the earlier", "2026-03-29T02:30:00": "the clock left out"}
    assert dict(clock.odd) == ({ambiguous[text]: 1} if text in ambiguous else {})


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+02:00", "1999-12-31T23:59:59Z", "2026-12-03T00:00:00Z", "9999-12-31T23:59:59-12:00",
             "yesterday", "", None, True, float("nan"), float("inf"), 10**30, [], "2026-02-30", "12:00", "1e9"],
)  # fmt: skip
def test_times_that_no_event_can_have(text):
    with pytest.raises(ValueError, match=r"no time that can be read|its time is not from 2000 to tomorrow"):
        Clock(now=datetime(2026, 12, 1, tzinfo=UTC)).read(text)
