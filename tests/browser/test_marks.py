"""A mark of a course's chart leads to the students behind it: as many rows as the oracle has of them."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

COURSE = "COURSE001"
# The view that a chart is of, and the one that its marks lead to.
MARKS = {
    "course_daily_engagement": "course_student_days",
    "course_hourly_engagement": "course_student_days",
    "video_daily_engagement": "video_student_days",
    "course_material_popularity": "course_student_materials",
    "course_resource_download_stats": "course_student_downloads",
    "assessment_submission_distribution": "assessment_student_work",
    "assessment_deadlines": "assessment_student_work",
    "video_popularity": "video_total_watch_time",
    "grade_bands": "assessment_student_overall_performance",
    "quiz_bands": "assessment_student_overall_performance",
}
PREFIX = "is."


@pytest.fixture(scope="module")
def led(browser) -> dict[str, dict]:
    """What is seen after a click on some mark of each chart."""
    places = [f"section[data-view={view}]:has(.chart)" for view in MARKS]
    visits = [{"url": f"#/course/{COURSE}", "steps": [{"mark": place}]} for place in places]
    return dict(zip(MARKS, browser.visit(*visits), strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("view", MARKS)
def test_a_mark_leads_to_its_students(view, led, views):
    found = led[view]
    assert (found["errors"], found["violations"]) == ([], [])
    address = urlsplit(found["address"].partition("#")[2])
    assert address.path == f"/rows/{MARKS[view]}"
    asked = {name.removeprefix(PREFIX): value for name, value in parse_qsl(address.query) if name.startswith(PREFIX)}
    assert asked.pop("course_id") == COURSE and asked
    rows = [
        row
        for row in views[MARKS[view]]
        if row["course_id"] == COURSE and all(_meets(row, *one) for one in asked.items())
    ]
    panel = next(panel for panel in found["panels"] if panel["view"] == MARKS[view])
    assert not panel["trouble"] and int(panel["count"].split()[0].replace(",", "")) == len(rows) > 0


def _meets(row: dict, name: str, value: str) -> bool:
    """Whether a row is on the day, in the band, or has the value, that a condition names."""
    column, _, operator = name.partition("__")
    if not operator:
        return str(row[column]) == value
    if row[column] is None:
        return False
    if isinstance(row[column], float):
        return row[column] >= float(value) if operator == "gte" else row[column] < float(value)
    bound = date.fromisoformat(value[:10])
    return row[column].date() >= bound if operator == "gte" else row[column].date() < bound
