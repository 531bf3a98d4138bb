"""What rows of Moodle's logs say: their course, time, person and role, whatever their order and the log's cut."""

from __future__ import annotations

import pytest

from tests.ingestion_layer.moodle_logs import HEADER, PAGE, VIEW, log, said
from tests.ingestion_layer.replaying import replay, written


@pytest.mark.parametrize(
    ("header", "row", "course"),
    [
        ("courseid," + HEADER, "31," + VIEW, "31"),
        ("Course," + HEADER, "ALG-1," + VIEW, "alg-1"),
        ("courseid," + HEADER, "0," + VIEW, "algebra"),
        (HEADER, VIEW, "algebra"),
        (HEADER, "m1,2026-03-02T10:00:00,File: Notes,File,Course module viewed", "folder"),
    ],
)
def test_the_course_of_a_row(header, row, course, tmp_path):
    assert [e["course_id"] for e in log(tmp_path, row, header=header, name="Folder/events.csv").events] == [course]


def test_rows_that_name_no_course_are_of_the_one_that_their_log_names_else_of_the_option(tmp_path):
    item = "m1,2026-03-02T10:00:00,File: Notes,File,Course module viewed"
    assert {e["course_id"] for e in log(tmp_path, VIEW, item).events} == {"algebra"}
    assert {e["course_id"] for e in log(tmp_path, VIEW, item, course="Botany").events} == {"algebra"}
    assert {e["course_id"] for e in log(tmp_path, item, course="Botany").events} == {"botany"}
    two = log(tmp_path, VIEW, VIEW.replace("Algebra", "Botany"), item, name="site/events.csv")
    assert said(two.events, "course_id") == [("algebra",), ("botany",), ("site",)]


def test_a_log_that_is_cut_by_components_is_of_one_course(tmp_path):
    item = "m1,2026-03-02T10:00:00,File: Notes,File,Course module viewed"
    written(
        tmp_path, {"x/system.csv": [HEADER, VIEW], "x/file.csv": [HEADER, item], "botany/events.csv": [HEADER, item]}
    )
    assert said(replay("moodle", [tmp_path]).events, "event_type", "course_id") == [
        ("ACCESS_COURSE_MATERIAL", "algebra"), ("ACCESS_COURSE_MATERIAL", "botany"), ("COURSE_VIEW", "algebra"),
    ]  # fmt: skip


def test_who_looks_at_work_is_a_teacher_whatever_the_order(tmp_path):
    rows = [
        '"2/03/26, 10:00",T,L,Assignment: E,Assignment,Grading form viewed,'
        "The user with id '2' viewed the grading form for the user with id '7' "
        "for the assignment with course module id '5'.,web,",
        '"1/03/26, 10:00",T,-,Course: Algebra,System,Course viewed,'
        "The user with id '2' viewed the course with id '3'.,web,",
    ]
    for order in (rows, rows[::-1]):
        assert said(log(tmp_path, *order, header=PAGE).events, "event_type", "role") == [
            ("COURSE_VIEW", "teacher"), ("VIEW_STUDENT_WORK", "teacher"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "zone", "moment"),
    [
        ("2026-03-02T10:00:00", "UTC", "2026-03-02 10:00:00"),
        ("2026-03-02T10:00:00", "Asia/Ho_Chi_Minh", "2026-03-02 03:00:00"),
        ("2026-03-02T10:00:00+02:00", "Asia/Ho_Chi_Minh", "2026-03-02 08:00:00"),
        ("2026-03-02 10:00:00Z", "Asia/Ho_Chi_Minh", "2026-03-02 10:00:00"),
        ("2026-03-02 10:00:00 +0200", "Asia/Ho_Chi_Minh", "2026-03-02 08:00:00"),
        ('"2/03/26, 10:00 +02:00"', "Asia/Ho_Chi_Minh", "2026-03-02 08:00:00"),
        ("1772445600", "Asia/Ho_Chi_Minh", "2026-03-02 10:00:00"),
        ("1772445600000", "UTC", "2026-03-02 10:00:00"),
        ('"2/03/26, 10:00"', "Europe/Helsinki", "2026-03-02 08:00:00"),
        ('"Monday, 2 March 2026, 10:00 PM"', "UTC", "2026-03-02 22:00:00"),
        ('"29/03/26, 10:00"', "Europe/Helsinki", "2026-03-29 07:00:00"),
    ],
)
def test_times(time, zone, moment, tmp_path):
    found = log(tmp_path, f"m1,{time},Course: Algebra,System,Course viewed", zone=zone)
    assert [str(e["timestamp"])[:19] for e in found.events] == [moment]


def test_a_log_that_has_thirteenth_days_second_writes_the_month_first(tmp_path):
    rows = [f'm1,"{day}, 10:00",Course: Algebra,System,Course viewed' for day in ("3/4/26", "3/13/26")]
    assert [str(e["timestamp"])[:10] for e in log(tmp_path, *rows).events] == ["2026-03-04", "2026-03-13"]
    assert [str(e["timestamp"])[:10] for e in log(tmp_path, rows[0]).events] == ["2026-04-03"]


@pytest.mark.parametrize("user", ["", "-", "0", "-1", "NULL", "None", "nan"])
def test_nobody_is_counted(user, tmp_path):
    found = log(tmp_path, VIEW, VIEW.replace("m1", user))
    assert said(found.events, "user_id") == [("m1",)]
    assert found.tally.reasons == {"System: Course viewed: nobody did it": 1}


def test_one_name_of_two_people_stays_a_name(tmp_path):
    """Who a row without a number means can't be told, and it isn't the first who comes."""
    rows = [
        '"2/03/26, 10:00",Ann Lee,-,Course: A,System,Course viewed,'
        "The user with id '7' viewed the course with id '3'.,web,",
        '"2/03/26, 10:01",Ann Lee,-,Course: A,System,Course viewed,'
        "The user with id '9' viewed the course with id '3'.,web,",
        '"2/03/26, 10:02",Ann Lee,-,Turnitin Assignment 2: T,Turnitin Assignment 2,Add Submission,Sent,web,',
    ]
    assert said(log(tmp_path, *rows, header=PAGE).events, "user_id") == [("7",), ("9",), ("Ann Lee",)]


def test_roles_are_what_the_logs_say_whatever_the_order(tmp_path):
    row = "\"{}/03/26, 10:00\",{},-,Course: A,System,{},The user with id '{}' {}.,web,"
    rows = [
        row.format(1, "Ann", "Course viewed", 7, "viewed the course with id '3'"),
        row.format(2, "Tess", "Course viewed", 2, "viewed the course with id '3'"),
        row.format(3, "Max", "Course viewed", 1, "viewed the course with id '3'"),
        row.format(4, "Max", "Role assigned", 1, "assigned the role with id '3' to the user with id '2'"),
        row.format(5, "Max", "Role assigned", 1, "assigned the role with id '5' to the user with id '2'"),
        row.format(6, "Max", "Role assigned", 1, "assigned the role with id '1' to the user with id '1'"),
        row.format(7, "Max", "Role assigned", 1, "assigned the role with id '99' to the user with id '7'"),
    ]
    for order in (rows, rows[::-1]):
        assert said(log(tmp_path, *order, header=PAGE).events, "user_id", "role") == [
            ("1", "admin"),
            ("2", "teacher"),
            ("7", None),
        ]
    assert said(log(tmp_path, *rows, header=PAGE, role="student").events, "user_id", "role")[2] == ("7", "student")


def test_the_first_view_is_the_earliest_however_the_log_is_cut(tmp_path):
    rows = [f"m1,2026-03-0{day}T10:00:00,Assignment: A,Assignment,{name}" for day in (3, 1, 2)
            for name in ("Course module viewed", "The status of the submission has been viewed.")]  # fmt: skip
    whole = log(tmp_path, *rows, course="a")
    assert said(whole.of("VIEW_ASSIGNMENT_FIRST_TIME"), "timestamp") == [("2026-03-01 10:00:00.000000",)]
    assert len(whole.of("ITEM_CLICK")) == 6, "every view is one, so that which is the first changes no other number"
    parts = [log(tmp_path, row, name=f"{n}.csv", course="a") for n, row in enumerate(rows)]
    assert {e["event_id"] for part in parts for e in part.of("ITEM_CLICK")} == {
        e["event_id"] for e in whole.of("ITEM_CLICK")
    }
    firsts = [e for part in parts for e in part.of("VIEW_ASSIGNMENT_FIRST_TIME")]
    assert min(firsts, key=lambda e: str(e["timestamp"])) == whole.of("VIEW_ASSIGNMENT_FIRST_TIME")[0]


def test_items_are_told_apart_when_their_names_are_long(tmp_path):
    names = ["x" * 200 + end for end in "aab"]
    found = log(
        tmp_path, *(f"m1,2026-03-02T10:00:0{n},File: {name},File,Course module viewed" for n, name in enumerate(names))
    )
    assert len(found.events) == 3 and len({e["material_id"] for e in found.events}) == 2
    assert all(len(str(e["material_id"])) <= 128 for e in found.events)
