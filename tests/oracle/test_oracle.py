"""The oracle itself, against small cases worked out by hand."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given

from tests.oracle import validity
from tests.oracle.comparison import differences
from tests.oracle.counting import Record, percentage
from tests.oracle.histories import histories, history, landed, write_raw, written
from tests.oracle.json_text import Number
from tests.oracle.validity import hundredths, instant, is_valid, microseconds
from tests.oracle.views import all_views, ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOGIN = {
    "event_category": "AUTH",
    "event_type": "LOGIN",
    "user_id": "SV001",
    "role": "student",
    "session_id": "S1",
}


def at(clock: str, day: str = "2026-03-01") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}+00:00")


def records(topic: str, *bodies: dict, partition: int = 0) -> list[Record]:
    category = validity.RULES[topic][0]
    common = {"event_category": category, "user_id": "SV001", "timestamp": "2026-03-01 10:00:00"}
    return [Record(topic, partition, n, NOON, json.dumps(common | b).encode()) for n, b in enumerate(bodies)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01 12:00:00", NOON),
        ("2026-03-01 12:00:00.5", NOON + timedelta(milliseconds=500)),
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T17:30:00+05:30", NOON),
        ("2026-03-01T04:00:00-0800", NOON),
        ("2026-03-02T00:00:00+12", NOON),
        ("2026-03-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2026-03-01 12:00:00.1234567", None),
        ("2026-03-01T12:00:00", None),
        ("2026-03-01 12:00:00Z", None),
        ("2026-02-29 12:00:00", None),
        ("2026-03-01T12:00:00+05:60", None),
        ("2026-3-1 12:00:00", None),
        ("２026-03-01 12:00:00", None),
    ],
)
def test_timestamp_forms(text, expected):
    assert instant(text) == (None if expected is None else microseconds(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("-0.0", 0), ("0e99", 0), ("100", 10000), ("1e2", 10000), ("85.50", 8550), ("8.555e1", 8555),
     ("85.555", None), ("100.01", None), ("-0.01", None), ("1e400", None), ("1e-400", None), ("8500e-2", 8500)],
)  # fmt: skip
def test_scores_are_exact(text, expected):
    if expected is None:
        with pytest.raises(validity.Invalid):
            hundredths("score", Number(text))
    else:
        assert hundredths("score", Number(text)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"event_id": None}, True),
        ({"event_id": "0F8FAD5B-D9CB-469F-A165-70867728950E"}, True),
        ({"event_id": "0f8fad5bd9cb469fa16570867728950e"}, False),
        ({"role": "dean"}, False),
        ({"event_category": "auth"}, False),
        ({"user_id": "x" * 129}, False),
        ({"user_id": "😀" * 128}, True),
        ({"timestamp": "2026-03-02 12:00:00"}, True),
        ({"timestamp": "2026-03-02 12:00:00.000001"}, False),
        ({"timestamp": "2000-01-01 00:00:00"}, True),
        ({"timestamp": "1999-12-31 23:59:59.999999"}, False),
        ({"device_type": 5, "schema_version": "x"}, True),
    ],
)
def test_validity(change, expected):
    body = LOGIN | {"timestamp": "2026-03-01 10:00:00"} | change
    assert is_valid("auth_topic", NOON, json.dumps(body).encode()) is expected


def test_closed_sessions():
    login, logout = LOGIN | {"timestamp": "2026-03-01 10:00:00"}, LOGIN | {"event_type": "LOGOUT"}
    views = all_views(records(
        "auth_topic",
        login | {"user_id": "SV002"},
        login,  # the same instant: the smaller user opens it
        logout | {"timestamp": "2026-03-01 10:30:00"},
        logout | {"timestamp": "2026-03-01 11:00:00.5"},
        login | {"session_id": "S2"},
        logout | {"session_id": "S2", "timestamp": "2026-03-01 09:59:59"},
    ))  # fmt: skip
    assert views["auth_user_session_metrics"] == [{
        "user_id": "SV001", "total_sessions": 1, "avg_session_duration_minutes": 3600.5 / 60,
        "min_session_duration_minutes": 3600.5 / 60, "max_session_duration_minutes": 3600.5 / 60,
        "total_time_online_minutes": 3600.5 / 60}]  # fmt: skip
    assert views["auth_daily_active_users"] == [
        {"date": date(2026, 3, 1), "daily_active_users": 2, "total_sessions": 2}]  # fmt: skip
    assert views["auth_user_activity_summary"][1] == {
        "user_id": "SV001", "role": "student", "total_logins": 2, "total_logouts": 3,
        "first_activity": at("09:59:59"), "last_activity": at("11:00:00.5"), "unique_sessions": 2}  # fmt: skip


def test_grades_and_quizzes():
    grade = {"event_type": "GRADE_ASSIGNMENT", "user_id": "GV001", "student_id": "SV001", "course_id": "C",
             "assignment_id": "A"}  # fmt: skip
    quiz = {"event_type": "QUIZ_COMPLETED", "quiz_id": "Q", "course_id": "C", "correct_answers": 3}
    views = all_views(records("assessment_topic", grade | {"score": 64.1}, grade | {"score": 33.33}, quiz))
    assert views["assessment_grading_stats"] == [{
        "student_id": "SV001", "course_id": "C", "total_assignments_graded": 2, "avg_assignment_score": 97.43 / 2,
        "min_assignment_score": 33.33, "max_assignment_score": 64.1, "total_assignment_score": 97.43}]  # fmt: skip
    assert views["assessment_student_overall_performance"] == [{
        "user_id": "SV001", "course_id": "C", "quizzes_completed": 1, "avg_quiz_correct": 3.0,
        "assignments_graded": 2, "avg_assignment_score": 97.43 / 2}]  # fmt: skip
    assert views["assessment_teacher_workload"][0]["total_works_viewed"] == 0


def test_timeline_takes_the_first_of_each():
    work = {"user_id": "SV001", "course_id": "C", "assignment_id": "A", "assignment_type": "lab"}
    view, submit = (
        work | {"event_type": "VIEW_ASSIGNMENT_FIRST_TIME"},
        work | {"event_type": "SUBMIT_ASSIGNMENT"},
    )
    views = all_views(records(
        "assessment_topic",
        submit | {"timestamp": "2026-03-01 11:30:00"},
        submit | {"timestamp": "2026-03-01 11:00:00"},
        view,
        view | {"assignment_id": "B", "timestamp": "2026-03-01 11:00:00"},
        submit | {"assignment_id": "B"},
    ))  # fmt: skip
    assert views["assessment_engagement_timeline"] == [{
        "user_id": "SV001", "course_id": "C", "assignments_completed": 1, "avg_hours_to_submit": 1.0,
        "min_hours_to_submit": 1.0, "max_hours_to_submit": 1.0}]  # fmt: skip


def test_video_coverage_and_risk():
    watch = {"event_type": "VIDEO_WATCHED", "course_id": "C", "watch_duration_seconds": 60}
    views = all_views(records(
        "video_topic",
        watch | {"video_id": "V1", "session_id": "S"},
        watch | {"video_id": "V1", "watch_duration_seconds": 59},
        watch | {"video_id": "V2", "user_id": "SV002"},
        watch | {"video_id": "V3", "user_id": "SV002", "watch_duration_seconds": 180},
    ))  # fmt: skip
    assert [r["potential_drop_off"] for r in views["video_drop_off_indicators"]] == [
        "High Risk", "Medium Risk", "Good Engagement"]  # fmt: skip
    assert [r["video_coverage_percentage"] for r in views["video_student_course_summary"]] == [33.33, 66.67]
    assert views["video_total_watch_time"][0] == {
        "user_id": "SV001", "video_id": "V1", "course_id": "C", "total_watch_seconds": 119,
        "total_watch_sessions": 1, "avg_watch_duration_seconds": 59.5, "longest_session_seconds": 60,
        "shortest_session_seconds": 59, "total_watch_minutes": 119 / 60, "total_watch_hours": 119 / 3600}  # fmt: skip


def test_older_names():
    material = {"event_type": "DOWNLOAD_MATERIAL", "course_id": "C"}
    course = all_views(
        records("course_topic", material | {"material_id": "M"}, material | {"resource_id": "R", "material_id": 5})
    )
    assert [r["resource_id"] for r in course["course_resource_download_stats"]] == ["M", "R"]
    profile = all_views(records("profile_topic", {"event_type": "CHANGE_AVATAR", "picture_url": ""}))
    assert profile["profile_daily_activity"][0]["event_type"] == "PROFILE_PICTURE_UPDATED"


def test_field_changes_count_an_entry_once_per_event():
    views = all_views(records("profile_topic", {"event_type": "UPDATE_PROFILE", "updated_fields": ["a", "a", "b"]}))
    assert {r["field_name"]: r["total_updates"] for r in views["profile_field_changes"]} == {"a": 1, "b": 1}


@pytest.mark.parametrize(("part", "whole", "expected"), [(1, 8, 12.5), (1, 1600, 0.06), (2, 3, 66.67), (1, 0, None)])
def test_percentages_round_half_up(part, whole, expected):
    assert percentage(part, whole) == expected


def test_notification_rates():
    sent = {
        "event_type": "NOTIFICATION_SENT",
        "notification_id": "N",
        "notification_type": "t",
        "channel": "push",
    }
    clicked = sent | {"event_type": "NOTIFICATION_CLICKED"}
    views = all_views(records("notification_topic", sent, sent, sent, clicked, clicked | {"user_id": "SV002"}))
    assert views["notification_click_through_rate"] == [
        {"notification_type": "t", "total_sent": 3, "total_clicked": 2, "click_through_rate": 66.67}]  # fmt: skip
    assert [r["overall_engagement_rate"] for r in views["notification_user_summary"]] == [33.33, None]
    assert len(views["notification_user_preferences"]) == 1


def test_an_identity_counts_once_within_seven_days_of_its_last_sighting():
    body = json.dumps(LOGIN | {"event_id": "0f8fad5b-d9cb-469f-a165-70867728950e", "timestamp": "2026-03-01 10:00:00"})
    days = [0, 0, 7, 14, 21.001]
    lines = [Record("auth_topic", 0, n, NOON + timedelta(days=d), body.encode()) for n, d in enumerate(days)]
    lines.append(lines[0])  # the same line in two files
    lines.append(Record("auth_topic", 0, 9, NOON, body.upper().encode()))  # invalid: wrong names
    assert ledger(lines)["auth_topic"][0] == {"landed": 6, "counted": 2, "duplicate": 3, "invalid": 1}
    assert all_views(reversed(lines))["auth_hourly_login_patterns"][0]["login_count"] == 2


def test_an_invalid_event_does_not_use_up_its_identity():
    good = LOGIN | {"event_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    account = ledger(records("auth_topic", good | {"role": "dean"}, good))["auth_topic"][0]
    assert (account["counted"], account["duplicate"], account["invalid"]) == (1, 0, 1)


def test_a_history_has_every_type_and_every_fate():
    lines = history(1, 5000)
    assert lines == history(1, 5000)
    kinds, fates = set(), {"invalid": 0, "duplicate": 0, "counted": 0}
    for line in lines:
        if is_valid(line.topic, line.kafka_timestamp, line.value):
            kinds.add(validity.judge(line.topic, line.kafka_timestamp, line.value).type)
    for partitions in ledger(lines).values():
        for account in partitions.values():
            assert account["landed"] == account["counted"] + account["duplicate"] + account["invalid"]
            fates = {fate: n + account[fate] for fate, n in fates.items()}
    assert kinds == {kind for _, types in validity.RULES.values() for kind in types}
    assert all(n > 100 for n in fates.values())
    assert all(all_views(lines).values())


@given(histories(10))
def test_offsets_grow_and_arrivals_never_fall(lines):
    places: dict[tuple, Record] = {}
    for line in lines:
        before = places.get((line.topic, line.partition))
        assert before is None or (before.offset < line.offset and before.kafka_timestamp <= line.kafka_timestamp)
        places[line.topic, line.partition] = line


def test_raw_folders_hold_each_landed_line(tmp_path):
    lines = history(2, 300)
    write_raw(tmp_path, lines)
    texts = [gzip.decompress(p.read_bytes()) for p in tmp_path.glob("topic=*/date=*/*.json.gz")]
    assert {p.suffix for p in tmp_path.glob("*/*/*")} == {".json", ".gz", ".zst"}
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    assert 0 < len(rows) < len(landed(lines)) < len(lines)
    values = {(r.topic, r.partition, r.offset): r.value for r in lines}
    for row in rows:
        assert row["value"] == json.loads(values[row["topic"], row["partition"], row["offset"]])


def test_written_events_read_back():
    body = {"user_id": "naïve ☃", "n": 1}
    for seed in range(8):
        assert json.loads(written(Random(seed), body)) == body


def test_comparison_forgives_order_and_rounding_only():
    rows = [{"k": "a", "n": 1, "x": 1 / 3}, {"k": None, "n": 2, "x": None}]
    assert differences(rows, [rows[1], rows[0] | {"x": 1 / 3 + 1e-16}]) == []
    for wrong in ({"n": 2}, {"n": 1.0}, {"x": 0.3333}, {"x": None}, {"k": "b"}, {"more": 1}):
        assert differences(rows, [rows[0] | wrong, rows[1]])
    assert differences(rows, rows[:1]) and differences(rows, rows * 2) and differences([], rows)
