"""The Open University's tables, whole, in pieces and damaged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.ingestion_layer.replaying import Replayed, replay, written

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "oulad"
REGISTRATIONS = "code_module,code_presentation,id_student,date_registration,date_unregistration"
ANSWERS = "id_assessment,id_student,date_submitted,is_banked,score"
CLICKS = "code_module,code_presentation,id_student,id_site,date,sum_click"
LOOKUPS = {
    "assessments.csv": ["code_module,code_presentation,id_assessment,assessment_type,date,weight",
                        "AAA,2013J,1,TMA,19,10", "AAA,2013J,2,CMA,19,10", "AAA,2013J,3,Exam,,100"],
    "vle.csv": ["id_site,code_module,code_presentation,activity_type,week_from,week_to",
                "5,AAA,2013J,homepage,,", "6,AAA,2013J,quiz,,", "7,AAA,2013J,url,,"],
}  # fmt: skip


def tables(tmp_path: Path, **files: list[str]) -> Replayed:
    """What a folder of these tables becomes, with the two that say of what they are."""
    return replay("oulad", [written(tmp_path, LOOKUPS | {f"{name}.csv": rows for name, rows in files.items()})])


def test_each_table():
    found = replay("oulad", [SAMPLE])
    assert set(Counter(e["event_type"] for e in found.events)) == {
        "COURSE_ENROLLED", "COURSE_DROPPED", "SUBMIT_ASSIGNMENT", "GRADE_ASSIGNMENT", "QUIZ_COMPLETED", "COURSE_VIEW",
        "ACCESS_COURSE_MATERIAL", "ITEM_CLICK",
    }  # fmt: skip
    assert found.tally.reasons["assessment: banked from an earlier presentation"]
    assert len(found.ids()) == len(found.events)


def test_tables_are_known_by_their_columns(tmp_path):
    files = {f"{n}.txt": path.read_bytes() for n, path in enumerate(sorted(SAMPLE.iterdir(), reverse=True))}
    assert replay("oulad", [written(tmp_path, files)]).events == replay("oulad", [SAMPLE]).events


def test_a_table_alone_finds_those_beside_it():
    clicks = next(SAMPLE.glob("studentVle*"))
    found = replay("oulad", [clicks])
    assert found.events == [e for e in replay("oulad", [SAMPLE]).events if e["event_id"] in found.ids()] != []


def test_equal_rows_are_different_clicks_and_the_same_the_next_time(tmp_path):
    rows = [CLICKS, "AAA,2013J,100,5,3,2", "AAA,2013J,100,5,3,2", "AAA,2013J,100,5,3,1"]
    found = tables(tmp_path / "a", studentVle=rows)
    assert len(found.ids()) == len(found.events) == 5
    assert tables(tmp_path / "b", studentVle=[rows[0], *rows[:0:-1]]).ids() == found.ids()
    again = replay("oulad", [tmp_path])
    assert again.ids() == found.ids() and again.tally.repeated == 3 and again.tally.read == again.tally.mapped == 6


def test_a_registration_of_two_lines_is_one(tmp_path):
    row = "AAA,2013J,100,-10,5"
    found = tables(tmp_path, studentRegistration=[REGISTRATIONS, row, row])
    assert Counter(e["event_type"] for e in found.events if e["event_id"] in found.ids()).keys() == {
        "COURSE_ENROLLED",
        "COURSE_DROPPED",
    }
    assert len(found.ids()) == 2


@pytest.mark.parametrize(
    ("registered", "left", "types", "left_out"),
    [("-10", "", ["COURSE_ENROLLED"], 0), ("-10", "?", ["COURSE_ENROLLED"], 0),
     ("-10", "4", ["COURSE_DROPPED", "COURSE_ENROLLED"], 0),
     ("", "4", ["COURSE_DROPPED"], 0), ("inf", "4", ["COURSE_DROPPED"], 1), ("-10", "soon", ["COURSE_ENROLLED"], 1),
     ("inf", "", [], 0), ("?", "?", [], 0), ("nan", "inf", [], 0), ("1e300", "", [], 0), ("999999", "", [], 0)],
)  # fmt: skip
def test_the_dates_of_a_registration(registered, left, types, left_out, tmp_path):
    found = tables(tmp_path, studentRegistration=[REGISTRATIONS, f"AAA,2013J,100,{registered},{left}"])
    assert sorted(e["event_type"] for e in found.events) == types
    assert found.tally.left_out.total() == left_out and found.tally.mapped == bool(types)


@pytest.mark.parametrize(
    ("row", "event", "field", "value"),
    [("1,100,18,0,78", "GRADE_ASSIGNMENT", "score", 78), ("1,100,18,0,70.125", "GRADE_ASSIGNMENT", "score", 70.13),
     ("1,100,18,0,?", "SUBMIT_ASSIGNMENT", "assignment_type", "homework"),
     ("2,100,18,0,78.5", "QUIZ_COMPLETED", "correct_answers", 79),
     ("3,100,18.0,0,50", "SUBMIT_ASSIGNMENT", "assignment_type", "lab"),
     ("2,100,18,0,", None, "", ""), ("1,100,,0,78", None, "", ""), ("1,100,18,1,78", None, "", ""),
     ("9,100,18,0,78", None, "", ""),
     ("1,100,18,0,101", "SUBMIT_ASSIGNMENT", "user_id", "100"),
     ("1,100,18,0,inf", "SUBMIT_ASSIGNMENT", "user_id", "100"), ("2,100,18,0,nan", None, "", ""),
     ("1,,18,0,78", None, "", ""), ("1,100,inf,0,78", None, "", "")],
)  # fmt: skip
def test_answers(row, event, field, value, tmp_path):
    found = tables(tmp_path, studentAssessment=[ANSWERS, row])
    if event is None:
        assert found.events == [] and found.tally.reasons.total() == 1
    else:
        assert [e[field] for e in found.of(event)] == [value]
        assert found.tally.left_out.total() == (row[-3:] in ("101", "inf"))


@pytest.mark.parametrize(
    "row", ["100,5,3,?", "100,5,3,0", "100,5,3,-1", "100,5,3,inf", "100,5,?,1", "100,9,3,1", ",5,3,1", "100,5,3,1e12"]
)
def test_clicks_that_are_none(row, tmp_path):
    found = tables(tmp_path, studentVle=[CLICKS, f"AAA,2013J,{row}", "AAA,2013J,100,6,3,1"])
    assert [e["event_type"] for e in found.events] == ["ITEM_CLICK"] and found.tally.reasons.total() == 1


@pytest.mark.parametrize("presentation", ["2013X", "13J", "", "2013", "٢٠١٣J"])
def test_a_presentation_that_says_no_start(presentation, tmp_path):
    found = tables(tmp_path, studentRegistration=[REGISTRATIONS, f"AAA,{presentation},100,-10,"])
    assert found.tally.reasons.total() == 1 and not found.events


def test_a_long_module_is_one_course_with_one_tutor(tmp_path):
    modules = ["A" * 150, "A" * 150 + "B"]
    tests = [LOOKUPS["assessments.csv"][0], *(f"{module},2013J,{n},TMA,19,10" for n, module in enumerate(modules, 7))]
    written(tmp_path, {"more.csv": tests})
    found = tables(tmp_path, studentAssessment=[ANSWERS, "7,100,18,0,78", "8,100,18,0,78", "7,101,18,0,78"])
    assert len(found.of("SUBMIT_ASSIGNMENT")) == len(found.of("GRADE_ASSIGNMENT")) == 3
    assert len({e["course_id"] for e in found.events}) == len({e["user_id"] for e in found.of("GRADE_ASSIGNMENT")}) == 2
