"""What becomes of which row of OULAD: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.rule import Rule, by_name

TUTOR = "OU-TUTOR-"
GRADED_AFTER_DAYS = 10
MOST_CLICKS = 100_000  # a day's clicks of one student on one site; the dataset's own most is below 10,000
REGISTERED, LEFT = "date_registration", "date_unregistration"
OTHER = "any other site"

ABOUT = f"""the dataset's CSV files, known by their columns
Times are whole days from the first of February (B) or October (J); an event gets a second between 7 and 21 o'clock that
depends on its row alone. A course is `<module>-<presentation>`; everybody but the tutors is a student. The tables
`assessments` and `vle` are looked up, also beside the files that are given; those of students and courses aren't read.
Identity is the row. Counted are a registration without a date, an assessment that is banked, unknown, without a date,
or marked by computer without a score, and clicks on an unknown site or whose number isn't from 1 to {MOST_CLICKS:,}."""


def _enrolment(row: dict[str, Any]) -> dict[str, Any]:
    return {}


def _handed_in(form: str) -> Any:
    def fields(row: dict[str, Any]) -> dict[str, Any]:
        return {"assignment_type": form}

    return fields


def _quiz(row: dict[str, Any]) -> dict[str, Any]:
    return {"total_questions": 100}


def _material(form: str) -> Any:
    def fields(site: str, kind: str) -> dict[str, Any]:
        return {"material_id": site, "material_type": form}

    return fields


def _page(site: str, kind: str) -> dict[str, Any]:
    return {}


def _click(site: str, kind: str) -> dict[str, Any]:
    return {"item_id": site, "item_type": kind}


_GRADED = f"where there is a score, graded by `{TUTOR}<module>` {GRADED_AFTER_DAYS} days later"
CLICKS = (
    Rule(("homepage",), "COURSE_VIEW", _page, "each click"),
    Rule(
        ("resource", "oucontent", "page"), "ACCESS_COURSE_MATERIAL", _material("document"), "each click, type document"
    ),
    Rule(("url",), "ACCESS_COURSE_MATERIAL", _material("link"), "each click, type link"),
    Rule(("dataplus",), "ACCESS_COURSE_MATERIAL", _material("dataset"), "each click, type dataset"),
    Rule((OTHER,), "ITEM_CLICK", _click, "each click, of the site's type"),
)
RULES = (
    Rule((REGISTERED,), "COURSE_ENROLLED", _enrolment),
    Rule((LEFT,), "COURSE_DROPPED", _enrolment),
    Rule(("TMA",), "SUBMIT_ASSIGNMENT, GRADE_ASSIGNMENT", _handed_in("homework"), f"type homework; {_GRADED}"),
    Rule(("Exam",), "SUBMIT_ASSIGNMENT, GRADE_ASSIGNMENT", _handed_in("lab"), f"type lab; {_GRADED}"),
    Rule(("CMA",), "QUIZ_COMPLETED", _quiz, "marked by computer: points of a hundred as right answers"),
    *CLICKS,
)
BY_NAME = by_name(RULES)
_SITES = by_name(CLICKS)


def click_rule(kind: str) -> Rule:
    """What becomes of clicks on a site of some type."""
    return _SITES.get(kind, _SITES[OTHER])
