"""Generated lives of courses, students and their works, as a reader of the JSON lines sees them: all are possible."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest

from tests.ingestion_layer.test_producer import produce

OPTIONS = {
    "a month": ("--events", 60_000, "--seed", 7),
    "few": ("--events", 60_000, "--seed", 8, "--students", 60, "--courses", 3),
    "many": ("--events", 60_000, "--seed", 9, "--students", 20_000, "--courses", 400),
    "late": ("--events", 60_000, "--seed", 10, "--late", 0.3),
    "one day": ("--events", 60_000, "--seed", 11, "--start", "2026-03-08", "--end", "2026-03-09", "--late", 0.1),
}
# What must have become of a student's work on an assignment before an event of it, and what becomes of it then.
WORK = {
    "VIEW_ASSIGNMENT_FIRST_TIME": ({"unknown"}, "open"),
    "SUBMIT_ASSIGNMENT": ({"open"}, "handed in"),
    "EDIT_ASSIGNMENT": ({"handed in", "looked at"}, None),
    "DELETE_ASSIGNMENT": ({"handed in"}, "open"),
    "VIEW_STUDENT_WORK": ({"handed in"}, "looked at"),
    "GRADE_ASSIGNMENT": ({"looked at"}, "graded"),
    "ASSIGNMENT_REOPENED": ({"graded"}, "open"),
}


@pytest.fixture(scope="module", params=OPTIONS)
def events(request) -> list[dict]:
    done = produce(*OPTIONS[request.param], "--output", "-")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_course_is_created_once_and_deleted_before_anybody_is_in_it(events):
    known: set[str] = set()
    created: dict[str, str] = {}
    deleted: set[str] = set()
    taught: dict[str, str] = {}
    students: dict[str, set[str]] = defaultdict(set)
    for event in events:
        course, name = event.get("course_id"), event["event_type"]
        if course is None:
            continue
        assert course not in deleted, "a deleted course is over"
        if name == "COURSE_CREATED":
            assert course not in known, "a new course has a new name"
            created[course] = event["timestamp"]
        known.add(course)
        assert event["timestamp"] >= created.get(course, "")
        if event["role"] == "student":
            students[course].add(event["user_id"])
        elif event["role"] == "teacher":
            assert taught.setdefault(course, event["user_id"]) == event["user_id"], "one teacher"
        elif name == "COURSE_DELETED":
            assert course in created and not students[course], "announced, deleted, nobody in it"
            deleted.add(course)
    assert created and deleted and any(students[course] for course in created)


def test_a_student_is_in_a_course_from_enrolling_to_dropping(events):
    """Who is seen in a course without having enrolled was in it from the start: a student and a course of before."""
    inside: dict[tuple[str, str], bool] = {}
    new = {e["user_id"] for e in events if e["event_type"] == "SIGNUP"}
    new |= {e["course_id"] for e in events if e["event_type"] == "COURSE_CREATED"}
    course_of = {e["assignment_id"]: e["course_id"] for e in events if {"assignment_id", "course_id"} <= e.keys()}
    for event in events:
        name, user = event["event_type"], event.get("student_id", event["user_id"])
        course = event.get("course_id") or course_of.get(event.get("assignment_id", ""))
        if course is None or event["role"] != "student" and "student_id" not in event:
            continue
        place = (user, course)
        if name == "COURSE_ENROLLED":
            assert not inside.get(place), "one who is in it doesn't enrol"
            inside[place] = True
        else:
            assert inside.setdefault(place, user not in new and course not in new), event
            inside[place] = name != "COURSE_DROPPED"
    assert not all(inside.values()), "some have left"


def test_works_go_from_being_seen_to_being_graded(events):
    state: dict[tuple[str, str], str] = defaultdict(lambda: "unknown")
    seen: set[str] = set()
    for event in events:
        name = event["event_type"]
        if name == "ASSIGNMENT_CREATED":
            assert event["assignment_id"] not in seen, "set, then seen"
        if "assignment_id" in event:
            seen.add(event["assignment_id"])
        if name in WORK:
            work = (event.get("student_id", event["user_id"]), event["assignment_id"])
            before, after = WORK[name]
            assert state[work] in before, (name, state[work], event)
            state[work] = after or state[work]
    assert Counter(state.values())["graded"] > 500


def test_quizzes_are_begun_and_then_ended(events):
    begun: set[tuple[str, str]] = set()
    for event in events:
        if event["event_type"] == "QUIZ_STARTED":
            begun.add((event["user_id"], event["quiz_id"]))
        elif event["event_type"] == "QUIZ_COMPLETED":
            assert (event["user_id"], event["quiz_id"]) in begun
            begun.discard((event["user_id"], event["quiz_id"]))


def test_what_somebody_does_has_its_order_in_time(events):
    last: dict[str, str] = {}
    for event in events:
        if event["event_type"] != "NOTIFICATION_SENT":
            assert event["timestamp"] >= last.get(event["user_id"], "")
            last[event["user_id"]] = event["timestamp"]
