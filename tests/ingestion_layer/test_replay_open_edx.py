"""What Open edX logs and routes on: forum, bookmarks, exams, grades, profiles, and roles that follow from them."""

import json
from typing import Any

from tests.ingestion_layer.replaying import replay, written

COURSE = "course-v1:North+ALG1+2026"
LMS = "https://lms.example.org"


def line(name: str, body: dict, second: int = 0, **context: object) -> dict:
    return {
        "name": name,
        "event_type": name,
        "time": f"2026-03-02T09:00:{second:02}.123456+00:00",
        "session": "s1",
        "username": "ada",
        "context": {"user_id": 311, "course_id": COURSE, **context},
        "event": body,
    }


def told(folder, rows: list[dict], form: str = "edx", **options: Any):
    return replay(form, [written(folder, {"rows": map(json.dumps, rows)})], **options)


def seen(found) -> list[tuple]:
    names = ("item_id", "quiz_id", "assignment_id", "updated_fields", "score", "role", "correct_answers", "session_id")
    return [(e["event_type"], e["user_id"], *(e[n] for n in names if n in e)) for e in found.events]


def test_tracking_logs(tmp_path):
    exam = {"exam_content_id": "block-exam", "exam_id": 4, "attempt_user_id": 77}
    grade = {"user_id": "311", "course_id": COURSE, "block_id": "block-seq"}
    rows = [
        line("edx.forum.thread.created", {"id": "t1", "user_forums_roles": ["Student"], "user_course_roles": []}, 1),
        line("edx.forum.response.created", {"id": "r1", "discussion": {"id": "t1"}}, 2),
        line("edx.bookmark.added", {"bookmark_id": "ada,block-1", "component_usage_id": "block-1"}, 3),
        line("edx.ui.lms.outline.selected", {"target_url": f"{LMS}/w1", "target_name": "Week 1"}, 4),
        line("edx.user.settings.changed", {"setting": "country", "old": None, "new": "VN", "user_id": 311}, 5),
        line("edx.special_exam.timed.attempt.started", exam, 6),
        line("edx.special_exam.timed.attempt.submitted", exam, 7),
        line(
            "edx.grades.subsection.grade_calculated",
            {**grade, "weighted_graded_earned": 1, "weighted_graded_possible": 3, "weighted_total_possible": 4},
            8,
        ),
        line("edx.grades.subsection.grade_calculated", {**grade, "weighted_graded_possible": 0}, 9),
    ]
    found = told(tmp_path, rows)
    assert seen(found) == [
        ("ITEM_CLICK", "311", "t1", "student"),
        ("ITEM_CLICK", "311", "t1", "student"),
        ("ITEM_CLICK", "311", "block-1", "student"),
        ("ITEM_CLICK", "311", f"{LMS}/w1", "student"),
        ("UPDATE_PROFILE", "311", ["country"], "student"),
        ("QUIZ_STARTED", "77", "block-exam"),
        ("SUBMIT_ASSIGNMENT", "77", "block-exam"),
        ("GRADE_ASSIGNMENT", "edx-grader", "block-seq", 33.33, "teacher"),
    ]
    assert found.of("GRADE_ASSIGNMENT")[0]["student_id"] == "311"
    assert found.tally.reasons == {"edx.grades.subsection.grade_calculated: its score is no number of points": 1}


def test_roles_are_learnt_from_all_rows(tmp_path):
    page = f"/courses/{COURSE}/courseware/w1/"
    rows = [
        line(page, {}, 1),
        line(page, {}, 2) | {"context": {"user_id": 5, "course_id": COURSE}, "username": "bob"},
        line(page, {}, 3) | {"context": {"user_id": 6, "course_id": COURSE}, "username": "eve"},
        line("edx.course.enrollment.activated", {"user_id": 311, "course_id": COURSE}, 4),
        line("edx.course.tool.accessed", {"tool_name": "gradebook", "is_staff": True}, 5, user_id=5)
        | {"username": "bob"},
    ]
    views = told(tmp_path, rows, role="admin").of("COURSE_VIEW")
    assert [(e["user_id"], e["role"]) for e in views] == [("311", "student"), ("5", "teacher"), ("6", "admin")]


def test_a_line_is_the_same_line_when_it_is_routed_on(tmp_path):
    logged = line("edx.bookmark.added", {"component_usage_id": "block-1"})
    routed = {
        "name": logged["name"],
        "timestamp": logged["time"],
        "data": logged["event"],
        "context": {**logged["context"], "username": "ada", "session": "s1"},
    }
    first, second = told(tmp_path / "1", [logged]), told(tmp_path / "2", [routed])
    assert first.events == second.events and len(first.events) == 1


def statement(verb: str, thing: str, kind: str, second: int = 0, **more: object) -> dict:
    parent = [{"id": f"{LMS}/course/{COURSE}", "definition": {"type": "http://adlnet.gov/expapi/activities/course"}}]
    return {
        "id": f"0e0e0e0e-0000-4000-8000-0000000000{second:02}",
        "actor": {"account": {"homePage": LMS, "name": "u1"}},
        "verb": {"id": verb},
        "object": {"id": thing, "definition": {"type": kind}},
        "context": {
            "contextActivities": {"parent": parent},
            "extensions": {"https://w3id.org/xapi/openedx/extensions/session-id": "s1"},
        },
        "timestamp": f"2026-03-02T09:00:{second:02}+00:00",
        **more,
    }


def test_statements(tmp_path):
    adl, exam = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/openedx/activity/timed-assessment"
    video = "https://w3id.org/xapi/video/activity-type/video"
    score = {"min": 0, "max": 3, "raw": 2, "scaled": 0.67}
    time = {"extensions": {"https://w3id.org/xapi/video/extensions/time": 7}}
    rows = [
        statement(f"{adl}initialized", "exam", exam, 1),
        statement(f"{adl}terminated", "exam", exam, 2),
        statement(f"{adl}terminated", "v", video, 3, result=time),
        statement(
            "https://w3id.org/xapi/acrossx/verbs/evaluated", "p", "x/cmi.interaction", 4, result={"score": score}
        ),
        statement("https://w3id.org/xapi/acrossx/verbs/evaluated", "p_1", "x/question", 5, result={"success": True}),
        statement("http://id.tincanapi.com/verb/earned", "seq", "x/resource", 6, result={"score": score}),
        statement("http://id.tincanapi.com/verb/earned", "c", "x/course", 7, result={"score": score}),
        statement("http://id.tincanapi.com/verb/viewed", "thread", "x/discussion", 8),
        statement("http://id.tincanapi.com/verb/viewed", "notes", "x/document", 9),
        statement("https://w3id.org/xapi/dod-isd/verbs/navigated", "link", "x/link", 10),
        statement(f"{adl}completed", "quiz", "x/assessment", 11, result={"score": {"scaled": 0.5}}),
    ]
    found = told(tmp_path, rows, "xapi")
    user = f"u1@{LMS}"
    assert [(e["event_type"], e["user_id"]) for e in found.events] == [
        ("QUIZ_STARTED", user), ("SUBMIT_ASSIGNMENT", user), ("QUIZ_COMPLETED", user),
        ("GRADE_ASSIGNMENT", "edx-grader"),
        ("ITEM_CLICK", user), ("ACCESS_COURSE_MATERIAL", user), ("ITEM_CLICK", user), ("QUIZ_COMPLETED", user),
    ]  # fmt: skip
    assert [e["correct_answers"] for e in found.of("QUIZ_COMPLETED")] == [67, 50]
    assert found.of("GRADE_ASSIGNMENT")[0]["score"] == 66.67
    assert found.tally.reasons == {
        "terminated: says nothing that our events say": 1,
        "evaluated: says nothing of right answers": 1,
        "earned: is a course's grade": 1,
    }


def test_a_statement_that_fails_uses_no_spans_up(tmp_path):
    told_ = {"extensions": {"https://w3id.org/xapi/video/extensions/time": 9,
                            "https://w3id.org/xapi/video/extensions/played-segments": "0[.]9"}}  # fmt: skip
    rows = [statement("x/paused", "v", "x/video", second, result=told_) for second in (1, 2)]
    rows[0]["context"]["contextActivities"] = {}
    found = told(tmp_path, rows, "xapi")
    assert [e["watch_duration_seconds"] for e in found.of("VIDEO_WATCHED")] == [9]
    assert found.tally.reasons == {"paused: no course_id": 1}


def test_caliper(tmp_path):
    thing = {
        "id": f"{LMS}/v7",
        "type": "VideoObject",
        "duration": "PT3M15S",
        "extensions": {"isPartOf": {"id": f"{LMS}/course/{COURSE}", "type": "CourseOffering"}},
    }

    def happened(action: str, second: int, **more: object) -> dict:
        return {
            "id": f"urn:uuid:ce0e0e0e-0000-4000-8000-0000000000{second:02}", "type": "MediaEvent", "action": action,
            "actor": {"id": f"{LMS}/user/1", "type": "Person"}, "object": thing, "target": {"type": "MediaLocation"},
            "eventTime": f"2026-03-02T09:00:{second:02}.000Z", "session": {"id": f"{LMS}/s/1"}, **more,
        }  # fmt: skip

    old = {
        "@context": "http://purl.imsglobal.org/ctx/caliper/v1/Context",
        "@type": "http://x/MediaEvent",
        "eventTime": "x",
    }
    page = {"type": "NavigationEvent", "object": {**thing, "type": "Webpage", "id": f"{LMS}/page"}}
    rows = [happened("Started", 1), happened("Ended", 31), old, happened("NavigatedTo", 40, **page)]
    found = told(tmp_path, rows, "caliper")
    assert [(e["event_type"], e.get("position_seconds"), e.get("watch_duration_seconds")) for e in found.events] == [
        ("VIDEO_STARTED", 0, None), ("VIDEO_COMPLETED", 195, None), ("VIDEO_WATCHED", None, 30),
        ("ACCESS_COURSE_MATERIAL", None, None),
    ]  # fmt: skip
    assert {e["course_id"] for e in found.events} == {f"{LMS}/course/{COURSE}"}
    assert found.tally.reasons == {"Caliper 1.0, must be 1.1 or 1.2": 1}
