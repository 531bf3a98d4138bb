"""What operators see beside the numbers, what advisers write and what followed, and students and terms side by side."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from collections import Counter

import httpx
import pytest

from runtime.storage.opening import open_store
from serving_layer.advising.advice import Advices
from tests.browser.conftest import ADVICE, PAGES


@pytest.fixture(scope="module")
def panels(browser) -> dict[str, dict]:
    (found,) = browser.visit({"url": "#/operation"})
    assert (found["errors"], found["violations"]) == ([], [])
    return {panel["view"]: panel for panel in found["panels"]}


def test_what_was_rejected_is_counted_by_reason(panels, server):
    expected: Counter[tuple[str, str]] = Counter()
    store = open_store(str(server.platform.folder / "quarantine"))
    for entry in store.list("topic="):
        for line in gzip.decompress(store.read(entry.path)).splitlines():
            told = json.loads(line)
            expected[told["topic"], told["reason"]] += 1
    shown = {(topic, reason): int(events.replace(",", "")) for topic, reason, events, _ in panels["quarantine"]["rows"]}
    assert shown == expected and expected


def test_a_run_is_gone_back_to_by_a_command(panels, server):
    serving = httpx.get(f"{server.address}/freshness", timeout=30).json()["run"]
    rows = {row[0]: row for row in panels["runs"]["rows"]}
    assert rows[serving][-1] == "–" and len(rows) == 2
    (other,) = rows.keys() - {serving}
    assert rows[other][-1] == "Go back"


@pytest.mark.thorough
def test_the_command_is_reached_by_keyboard(browser, server):
    runs = [run["run"] for run in httpx.get(f"{server.address}/runs", timeout=30).json()["runs"] if not run["serves"]]
    steps = [{"reach": ".command summary"}, {"press": "Enter"}, {"wait": f"code:text-is('learn republish {runs[0]}')"}]
    (found,) = browser.visit({"url": "#/operation", "steps": steps})
    assert (found["errors"], found["violations"]) == ([], [])


def test_sources_and_other_tools_are_named(panels):
    assert [row[:2] for row in panels["collector"]["rows"]] == [["moodle", "xapi"]]
    assert panels["pages"]["title"] == "Other tools" and PAGES.count("=") == 2


def test_what_happened_afterwards_is_the_oracle_s(browser, views):
    (found,) = browser.visit({"url": "#/adviser"})
    assert (found["errors"], found["violations"]) == ([], [])
    (panel,) = [panel for panel in found["panels"] if panel["view"] == "afterwards"]
    shown = {row[0]: row for row in panel["rows"]}
    contacts = {student: number for number, (student, kind, _) in enumerate(ADVICE) if kind == "contacted"}
    assert shown.keys() >= contacts.keys()
    for student, number in contacts.items():
        at = dt.datetime(2026, 1, 1 + number, 8)
        days = [row["last_active"] for row in views["course_student_activity"] if row["user_id"] == student]
        later = [day for day in days if day > at.date()]
        work = [row["first_submission"] for row in views["assessment_student_work"] if row["user_id"] == student]
        handed_in = sum(moment is not None and moment.replace(tzinfo=None) > at for moment in work)
        seen = max(later).strftime("%b %-d, %Y") if later else "not yet"
        assert shown[student][2:4] == [seen, str(handed_in)], student
    assert shown["SV001"][4].startswith("Will hand in & come again.")


def test_an_adviser_writes_by_keyboard_and_it_is_kept(browser, server):
    row = "[data-view=adviser] tr:first-child"
    steps = [
        {"reach": f"{row} summary"}, {"press": "Enter"}, {"reach": f"{row} select"}, {"press": "ArrowDown"},
        {"reach": f"{row} textarea"}, {"keys": "Called <b>them</b>."}, {"press": "Tab"}, {"press": "Enter"},
        {"wait": "[data-view=adviser] .events p:text-is('Called <b>them</b>.')"},
    ]  # fmt: skip
    (found,) = browser.visit({"url": "#/adviser", "steps": steps})
    assert (found["errors"], found["violations"]) == ([], [])
    kept = Advices(open_store(str(server.platform.folder / "identity"))).of()
    assert (kept[0].kind, kept[0].by, kept[0].text) == ("contacted", "local", "Called <b>them</b>.")
    (panel,) = [panel for panel in found["panels"] if panel["view"] == "afterwards"]
    assert len(panel["rows"]) == len({one.student for one in kept if one.kind == "contacted"})
    (own,) = browser.visit({"url": f"#/student/{kept[0].student}"})
    assert own["errors"] == [] and "advice" in {panel["view"] for panel in own["panels"]}


@pytest.mark.thorough
def test_a_student_stands_beside_the_course(browser, views):
    medians = {row["course_id"]: row["median_assignment_score"] for row in views["assessment_course_results"]}
    mine = [row for row in views["assessment_student_overall_performance"] if row["user_id"] == "SV001"]
    steps = [{"click": "[data-view=beside] .tools button"}]
    (found,) = browser.visit({"url": "#/student/SV001", "steps": steps})
    (panel,) = [panel for panel in found["panels"] if panel["view"] == "beside"]
    shown = {row[0]: row[1:3] for row in panel["rows"]}
    assert len(shown) == len({row["course_id"] for row in mine}) == len(mine) > 0
    for row in mine:
        course = row["course_id"]
        if re.fullmatch(r"COURSE\d+", str(course)):
            assert [_number(cell) for cell in shown[course]] == [
                _rounded(row["avg_assignment_score"]),
                _rounded(medians[course]),
            ]


@pytest.mark.thorough
def test_terms_are_compared_by_the_oracle_s_numbers(browser, views):
    (found,) = browser.visit({"url": "#/compare?by=terms"})
    (panel,) = [panel for panel in found["panels"] if panel["view"] == "terms"]
    terms = panel["head"][1:]
    rows = {row[0]: row[1:] for row in panel["rows"]}
    for place, term in enumerate(terms):
        courses = {row["course_id"] for row in views["course_terms"] if str(row["semester"]).strip() == term}
        here = [
            row for row in views["course_student_activity"] if row["course_id"] in courses and row["dropped_on"] is None
        ]
        assert [rows["Courses"][place], rows["Students of the course"][place]] == [str(len(courses)), str(len(here))]


def _rounded(value: object) -> float | None:
    return None if value is None else round(float(value), 2)  # type: ignore[arg-type]


def _number(cell: str) -> float | None:
    return None if cell == "–" else float(cell.replace(",", ""))
