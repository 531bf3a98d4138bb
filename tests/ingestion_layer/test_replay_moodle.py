"""Moodle's logs and grades, in the forms in which its users have them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.ingestion_layer.moodle_logs import HEADER, PAGE, VIEW, log, said
from tests.ingestion_layer.replaying import replay, written
from tests.ingestion_layer.test_producer import produce

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
EXPORT = SAMPLES / "moodle_export" / "biology"
LOG = EXPORT / "logs_BIO101_20260401-0900.csv"
DATABASE = SAMPLES / "moodle_database" / "mdl_logstore_standard_log.csv"


def test_the_report_page_s_export():
    found = replay("moodle", [LOG], role="student")
    assert Counter(event["event_type"] for event in found.events) == {
        "COURSE_ENROLLED": 2, "COURSE_DROPPED": 1, "COURSE_VIEW": 2, "ACCESS_COURSE_MATERIAL": 2,
        "DOWNLOAD_MATERIAL": 1, "VIEW_ASSIGNMENT_FIRST_TIME": 2, "ITEM_CLICK": 5, "QUIZ_STARTED": 1,
        "SUBMIT_ASSIGNMENT": 2, "EDIT_ASSIGNMENT": 1, "VIEW_STUDENT_WORK": 1,
    }  # fmt: skip
    assert found.tally.reasons == {
        "Assignment: The submission has been graded.": 1, "Quiz: Quiz attempt submitted": 1,
        "System: Role assigned: only tells a role": 1, "System: Course viewed: nobody did it": 1,
    }  # fmt: skip
    assert {event["course_id"] for event in found.events} == {"biology 101"}
    assert {event["user_id"] for event in found.events} == {"2", "7", "8"}, (
        "people are their numbers, even where a row has none"
    )
    assert said(found.of("COURSE_ENROLLED"), "user_id", "timestamp", "role") == [
        ("7", "2026-03-15 09:01:00.000000", "student"), ("8", "2026-03-15 09:02:00.000000", "student"),
    ]  # fmt: skip
    assert said(found.of("COURSE_DROPPED"), "user_id") == [("7",)]
    assert said(found.of("COURSE_VIEW"), "user_id", "role") == [("2", "teacher"), ("7", "student")]
    assert replay("moodle", [LOG]).events == found.events, "the log tells the role of each"
    assert said(found.of("VIEW_STUDENT_WORK"), "user_id", "student_id", "assignment_id", "role") == [
        ("2", "8", "Field & forest", "teacher")
    ]
    assert said(found.of("VIEW_ASSIGNMENT_FIRST_TIME"), "user_id", "assignment_id", "timestamp") == [
        ("8", "Field & forest", "2026-03-15 18:00:00.000000"), ("8", "Herbarium", "2026-03-17 09:55:00.000000"),
    ]  # fmt: skip
    assert said(found.of("SUBMIT_ASSIGNMENT"), "user_id", "assignment_id") == [
        ("8", "Field & forest"),
        ("8", "Herbarium"),
    ]
    assert said(found.of("ITEM_CLICK"), "item_type", "item_id") == [
        ("assignment", "Field & forest"), ("assignment", "Field & forest"), ("bigbluebuttonbn", "Question hour"),
        ("h5p", "The cell"), ("turnitin assignment 2", "Herbarium"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form", ["utf-8-sig", "utf-16", "semicolons", "packed", "newest last", "without names", "Vietnamese"]
)
def test_the_export_in_other_forms_says_the_same(form, tmp_path):
    text = LOG.read_text()
    header, *rows = text.splitlines()
    plain = replay("moodle", [LOG])
    other = {
        "utf-8-sig": text.encode("utf-8-sig"),
        "utf-16": text.encode("utf-16"),
        "semicolons": _delimited(text, ";").encode(),
        "packed": gzip.compress(text.encode()),
        "newest last": "\n".join([header, *reversed(rows)]).encode(),
        "without names": text.replace("Ann Learner", "-").replace("Tess Teacher", "-").encode(),
        "Vietnamese": _in_vietnamese(text).encode(),
    }[form]
    found = replay("moodle", [written(tmp_path, {"biology/log.dat": other})])
    assert len(found.events) == len(plain.events)
    about = ("event_type", "user_id", "course_id", "timestamp", "item_id", "assignment_id", "material_id", "student_id")
    assert [said([e], *about) for e in found.events] == [said([e], *about) for e in plain.events]
    if form in ("utf-8-sig", "utf-16", "semicolons", "packed", "newest last"):
        assert found.events == plain.events


def _delimited(text: str, delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(csv.reader(text.splitlines()))
    return out.getvalue()


def _in_vietnamese(text: str) -> str:
    """The export of a site in Vietnamese: its descriptions, and the names of plugins that nobody translated, are
    English.
    """
    names = {
        PAGE: "Thời gian,Tên đầy đủ,Người bị ảnh hưởng,Ngữ cảnh sự kiện,Thành phần,Tên sự kiện,Mô tả,Nguồn gốc,"
        "Địa chỉ IP",
        "Course: ": "Khoá học: ", ",System,": ",Hệ thống,", "Course viewed": "Đã xem khoá học", "File: ": "Tệp: ",
        ",File,": ",Tệp,", "Course module viewed": "Đã xem mô-đun", "User enrolled in course": "Đã ghi danh",
        "User unenrolled from course": "Đã huỷ ghi danh", "Assignment: ": "Bài tập: ", ",Assignment,": ",Bài tập,",
        "The status of the submission has been viewed.": "Đã xem trạng thái bài nộp",
        "A submission has been submitted.": "Đã nộp bài", "Grading form viewed": "Đã xem mẫu chấm",
        "Quiz: ": "Đề thi: ",
        ",Quiz,": ",Đề thi,", "Quiz attempt started": "Bắt đầu làm bài", "Role assigned": "Đã gán vai trò",
        "Submission updated.": "Đã cập nhật bài nộp", ",File submissions,": ",Nộp tệp,",
        "Zip archive of folder downloaded": "Đã tải tệp nén",
    }  # fmt: skip
    for english, vietnamese in names.items():
        text = text.replace(english, vietnamese)
    return text


def test_the_database_s_own_table():
    found = replay("moodle", [DATABASE])
    assert Counter(event["event_type"] for event in found.events) == {
        "COURSE_ENROLLED": 1, "COURSE_VIEW": 1, "ACCESS_COURSE_MATERIAL": 1, "VIEW_ASSIGNMENT_FIRST_TIME": 1,
        "ITEM_CLICK": 2, "SUBMIT_ASSIGNMENT": 1, "VIEW_STUDENT_WORK": 1, "GRADE_ASSIGNMENT": 1, "QUIZ_STARTED": 1,
    }  # fmt: skip
    assert said(found.of("COURSE_ENROLLED"), "user_id", "course_id", "timestamp", "role") == [
        ("7", "3", "2026-03-15 09:01:00.000000", "student")
    ]
    assert said(found.of("GRADE_ASSIGNMENT"), "user_id", "student_id", "assignment_id", "score") == [
        ("2", "7", "13", 85.5)
    ]
    assert said(found.of("ITEM_CLICK"), "course_id", "item_id", "item_type") == [
        ("3", "45", "assignment"),
        ("4", "48", "forum"),
    ]
    assert said(found.of("VIEW_STUDENT_WORK"), "user_id", "student_id", "role") == [("2", "7", "teacher")]


@pytest.mark.parametrize("shape", ["lines", "array", "pretty", "phpMyAdmin"])
def test_the_database_s_table_as_json(shape, tmp_path):
    names, *lines = DATABASE.read_text().splitlines()
    rows = [dict(zip(names.split(","), values, strict=True)) for values in csv.reader(lines)]
    for row in rows:
        row.update({name: None if value == "NULL" else value for name, value in row.items()})
        row["timecreated"] = int(row["timecreated"])
    text = {
        "lines": "\n".join(map(json.dumps, rows)),
        "array": json.dumps(rows),
        "pretty": json.dumps(rows, indent=2),
        "phpMyAdmin": json.dumps(
            [{"type": "header"}, {"type": "table", "name": "mdl_logstore_standard_log", "data": rows}]
        ),
    }[shape]
    found = replay("moodle", [written(tmp_path, {"log.json": text})])
    about = ("event_type", "user_id", "course_id", "timestamp", "item_id", "assignment_id", "score", "student_id")
    assert said(found.events, *about) == said(replay("moodle", [DATABASE]).events, *about)
    assert len(found.events) == 10


def test_the_gradebook_beside_the_log():
    found = replay("moodle", [EXPORT], role="student")
    assert said(found.of("GRADE_ASSIGNMENT"), "student_id", "assignment_id", "score", "course_id", "timestamp") == [
        ("8", "Field & forest", 85.0, "biology 101", "2026-03-31 09:00:00.000000")
    ], "the percentage, of the person who has the name in the log"
    assert said(found.of("QUIZ_COMPLETED"), "user_id", "quiz_id", "correct_answers", "total_questions") == [
        ("7", "Cells", 63, 100)
    ]
    assert not found.tally.left_out, "a letter beside a percentage says nothing more"


def test_a_gradebook_alone_knows_its_people_by_their_numbers(tmp_path):
    header = "First name,Surname,ID number,Email address,Assignment: A (Real)"
    found = replay(
        "moodle",
        [
            written(
                tmp_path,
                {
                    "algebra/g.csv": [
                        header,
                        "A,B,S-7,a@example.org,80",
                        "C,D,,c@example.org,101",
                        "E,F,,-,7,5",
                        "G,H,S-9,,B",
                    ]
                },
            )
        ],
    )
    assert said(found.events, "student_id", "score", "course_id") == [("S-7", 80, "algebra")]
    assert found.tally.left_out == {"grade: not from 0 to 100": 1, "grade: no number": 1}
    assert found.tally.reasons == {"grades: none in it": 2, "longer than its header": 1}


def test_results_of_ten_points_come_with_their_log(tmp_path):
    folder = written(
        tmp_path,
        {"algebra/events.csv": [HEADER, VIEW], "algebra/results.csv": ["user,Grade.T1,Total", "m1,8.05,9", "m2,11,1"]},
    )
    for path in (folder, folder / "algebra", folder / "algebra" / "events.csv"):
        found = replay("moodle", [path])
        assert said(
            found.of("GRADE_ASSIGNMENT"), "user_id", "student_id", "assignment_id", "score", "course_id", "timestamp"
        ) == [("GV001", "m1", "T1", 80.5, "algebra", "2026-03-03 10:00:00.000000")]
        assert found.tally.reasons == {"grades: none in it": 1} and found.tally.left_out == {
            "grade: not from 0 to 10": 1
        }


@pytest.mark.parametrize(
    ("above", "counted"), [("sep=;", 0), ('"sep=,"', 0), ("Logs of Algebra", 1), ("\0\0\0", 0), ("", 0)]
)
def test_what_stands_above_the_header_costs_itself(above, counted, tmp_path):
    header, view = (HEADER.replace(",", ";"), VIEW.replace(",", ";")) if ";" in above else (HEADER, VIEW)
    found = log(tmp_path, header, view, header=above)
    assert len(found.events) == 1 and found.tally.reasons.total() == counted


def test_a_log_that_names_classes_by_their_parts(tmp_path):
    header = "userid,courseid,timecreated,component,action,target,contextinstanceid,contextlevel"
    found = log(tmp_path, "7,3,1772359200,mod_page,viewed,course_module,44,70", header=header)
    assert said(found.events, "event_type", "material_id", "course_id") == [("ACCESS_COURSE_MATERIAL", "44", "3")]


def test_what_is_no_row_of_a_log_is_counted(tmp_path):
    written(tmp_path, {"a/events.csv": [HEADER, VIEW], "a/notes.txt": ["a,b", "1,2"], "a/log.json": '[{"x": 1}, 5]'})
    found = replay("moodle", [tmp_path])
    assert len(found.events) == 1
    assert found.tally.reasons == {"no row of a Moodle log or of grades": 2, "not a JSON object": 1}


@pytest.mark.parametrize(
    ("option", "role"),
    [((), "student"), (("--default-role", "teacher"), "teacher"), (("--default-role", "none"), None)],
)
def test_a_role_that_nothing_tells(option, role, tmp_path):
    folder = written(tmp_path, {"algebra/events.csv": [HEADER, VIEW]})
    done = produce("--replay", folder, "--format", "moodle", "--output", "-", *option)
    assert [json.loads(line).get("role") for line in done.stdout.splitlines()] == [role]
