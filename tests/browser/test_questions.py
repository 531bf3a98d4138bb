"""The questions of `docs/dashboard.md`: each is answered within three clicks, and by the oracle's numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.oracle.counting import Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dashboard.md"
COURSE = "COURSE001"
MOST_CLICKS = 3
COURSE_LINK = f"[data-view=course_overall_metrics] a[href='#/course/{COURSE}']"
VIDEO, LATE, OPEN = "VID001", "ASM003", "ASM001"


class Oracle(NamedTuple):
    """What the oracle says, and the day up to which is counted."""

    views: dict[str, list[Row]]
    day: date

    def of(self, view: str, **wanted: object) -> list[Row]:
        """Rows of a view with these values."""
        return [row for row in self.views[view] if all(row[name] == value for name, value in wanted.items())]

    def students(self, last: Callable[[date], bool] = lambda _: True) -> list[Row]:
        """Who takes the course, and was there last on such a day."""
        taking = self.of("course_student_activity", course_id=COURSE, dropped_on=None)
        return [row for row in taking if last(row["last_active"])]  # type: ignore[arg-type]


class Question(NamedTuple):
    """What is asked, where one clicks, the panel that answers, and its rows' number as the oracle has it."""

    text: str
    clicks: tuple[str, ...]
    panel: str
    rows: Callable[[Oracle], int]


def _table(view: str, title: str = "") -> str:
    panel = f"section[data-view={view}]" + (f":has(h2:text-is('{title}'))" if title else "")
    return f"{panel} .tools button"


def _unseen(oracle: Oracle) -> int:
    watched = {row["user_id"] for row in oracle.of("video_total_watch_time", course_id=COURSE, video_id=VIDEO)}
    return sum(row["user_id"] not in watched for row in oracle.students())


def _late(oracle: Oracle) -> int:
    (work,) = oracle.of("assessment_deadlines", course_id=COURSE, assignment_id=LATE)
    assert isinstance(work["submitted_late"], int)
    return work["submitted_late"]


def _open(oracle: Oracle) -> int:
    rows = oracle.of("assessment_student_work", course_id=COURSE, assignment_id=OPEN)
    return sum(row["first_submission"] is None for row in rows)


def _high(oracle: Oracle) -> int:
    rows = oracle.of("assessment_student_overall_performance", course_id=COURSE)
    return sum(row["avg_assignment_score"] is not None and row["avg_assignment_score"] >= 90 for row in rows)  # type: ignore[operator]


def _needing(oracle: Oracle) -> int:
    """Who has not come for a week, watches less than half as much, missed a deadline, has old work open, has opened no
    material for two weeks, or has low grades.
    """
    week, month, old = (oracle.day - timedelta(days=days) for days in (7, 28, 14))
    missed = {
        (row["course_id"], row["assignment_id"])
        for row in oracle.views["assessment_deadlines"]
        if row["due"] and week <= row["due"].date() < oracle.day  # type: ignore[attr-defined]
    }
    found: set[object] = set()
    for row in oracle.of("course_student_activity", dropped_on=None):
        if row["last_active"] <= week:  # type: ignore[operator]
            found.add(row["user_id"])
        if not row["materials_opened"] and row["first_active"] <= old:  # type: ignore[operator]
            found.add(row["user_id"])
    for row in oracle.views["video_student_activity"]:
        share, last = row["share_of_week_before"], row["last_watched"]
        if share is not None and share < 50 and month <= last:  # type: ignore[operator]
            found.add(row["user_id"])
    for row in oracle.of("assessment_student_work", first_submission=None):
        if row["first_view"].date() < old or (row["course_id"], row["assignment_id"]) in missed:  # type: ignore[attr-defined]
            found.add(row["user_id"])
    for row in oracle.views["assessment_student_overall_performance"]:
        if row["avg_assignment_score"] is not None and row["avg_assignment_score"] < 50:  # type: ignore[operator]
            found.add(row["user_id"])
    return len(found)


def _week(oracle: Oracle) -> date:
    return oracle.day - timedelta(days=7)


VIDEOS = "video_drop_off_indicators"
STUDENT_LINK = "[data-view=auth_user_activity_summary] td a >> nth=0"
DEADLINES = (COURSE_LINK, _table("assessment_deadlines"))
IN_DEADLINES = "[data-view=assessment_deadlines] tr:has(a:text-is('{}')) td:nth-child({}) a"
QUESTIONS = (
    Question(
        "Which of my students have not opened the video due tomorrow?",
        (COURSE_LINK, _table(VIDEOS), f"[data-view={VIDEOS}] a:text-is('{VIDEO}')"),
        "video_total_watch_time",
        _unseen,
    ),
    Question(
        "Who was active in the last seven days?",
        (COURSE_LINK, "[data-view=course_student_activity]:has(dt:text-is('Active in 7 days')) a"),
        "course_student_activity",
        lambda oracle: len(oracle.students(lambda last: last > _week(oracle))),
    ),
    Question(
        "Who has gone quiet?",
        (COURSE_LINK, "[data-view=course_student_activity]:has(dt:text-is('Quiet for 7 days')) a"),
        "course_student_activity",
        lambda oracle: len(oracle.students(lambda last: last <= _week(oracle))),
    ),
    Question(
        "Who handed in late?",
        (*DEADLINES, IN_DEADLINES.format(LATE, 5)),
        "assessment_student_work",
        _late,
    ),
    Question(
        "Who has opened the assignment and not handed it in?",
        (*DEADLINES, IN_DEADLINES.format(OPEN, 7)),
        "assessment_student_work",
        _open,
    ),
    Question(
        "Whose grades are best?",
        (COURSE_LINK, _table("grade_bands", "Grades"), "tr:has(th:text-is('≥ 90')) a"),
        "assessment_student_overall_performance",
        _high,
    ),
    Question("Who may need a word, and why?", ("nav a[href='#/adviser']",), "adviser", _needing),
    Question(
        "What has this student done in the last week?",
        ("nav a[href='#/students']", STUDENT_LINK, _table("course_student_activity")),
        "course_student_activity",
        lambda oracle: -1,
    ),
    Question("Which of two courses is used more?", ("nav a[href='#/compare']",), "compare", lambda _: 17),
    Question("Is every event accounted for?", ("nav a[href='#/operation']",), "ledger", lambda _: 6),
)  # fmt: skip


@pytest.fixture
def oracle(server, views) -> Oracle:
    fresh = httpx.get(f"{server.address}/freshness", timeout=60).json()
    return Oracle(views, date.fromisoformat(fresh["watermark"][:10]))


@pytest.fixture(scope="module")
def answers(browser) -> list[dict[str, Any]]:
    """What is seen after the clicks of each question, which all begin at the first screen."""
    visits = [{"url": "#/courses", "steps": [{"click": place} for place in q.clicks]} for q in QUESTIONS]
    return browser.visit(*visits)


@pytest.mark.thorough
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_three_clicks_lead_to_the_answer(question, answers, oracle):
    assert len(question.clicks) <= MOST_CLICKS
    found = answers[QUESTIONS.index(question)]
    assert (found["errors"], found["violations"]) == ([], [])
    panel = next(p for p in found["panels"] if p["view"] == question.panel and (p["rows"] or p["count"] or p["title"]))
    assert not panel["trouble"]
    expected = question.rows(oracle)
    if expected < 0:
        student = found["address"].rpartition("/")[2]
        expected = len(oracle.of("course_student_activity", user_id=student))
    counted = re.match(r"[\d,]+", panel["count"])
    assert (int(counted[0].replace(",", "")) if counted else len(panel["rows"])) == expected


def test_the_page_has_these_questions():
    rows = re.findall(r"^\| (\w+) \| (.+?) \| .+ \| (\d) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(text, int(clicks)) for _, text, clicks in rows] == [(q.text, len(q.clicks)) for q in QUESTIONS]
