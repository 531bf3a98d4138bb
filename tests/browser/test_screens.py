"""Every screen shows the oracle's numbers, in every language and colour, to everybody, and to nobody else's profit."""

from __future__ import annotations

import json
from itertools import product
from urllib.parse import quote, unquote

import httpx
import pytest

from runtime.storage.opening import open_store
from serving_layer.identity.api_keys import create_key
from tests.browser.conftest import HOSTILE, Browser, clicks
from tests.oracle.comparison import differences
from tests.oracle.views import all_views
from tests.serving_layer.conftest import serving

SCREENS = {
    "courses": "#/courses",
    "course": "#/course/{course}",
    "students": "#/students",
    "student": "#/student/{student}",
    "adviser": "#/adviser",
    "compare": "#/compare",
    "terms": "#/compare?by=terms",
    "operation": "#/operation",
    "rows": "#/rows/course_student_activity?is.course_id={course}&is.events_last_week__gte=1",
    "unseen": "#/unseen/{course}?column=video_id&what=VID001",
}
# What a student's timeline is made of.
MOMENTS = {
    "course_student_activity": ("enrolled_on", "dropped_on", "last_active"),
    "video_student_activity": ("first_watched", "last_watched"),
    "assessment_student_work": ("first_view", "first_submission", "last_submission"),
    "course_material_access": ("first_access", "last_access"),
}
CLOSED = {"AUTHENTICATION": "required"}
LOOKS = list(product(("en", "vi"), ("light", "dark"), (1280, 360)))


@pytest.fixture(scope="module")
def known(server) -> dict[str, str]:
    """A course and a student that have rows."""
    with httpx.Client(base_url=server.address, timeout=60) as http:
        rows = http.get("/views/video_student_course_summary", params={"limit": 1}).json()["rows"]
    return {"course": quote(rows[0]["course_id"], safe=""), "student": quote(rows[0]["user_id"], safe="")}


def check(browser, known, screens, language: str, theme: str, width: int) -> None:
    """Each of the screens is whole, and axe finds nothing serious."""
    addresses = [SCREENS[screen].format(**known) for screen in screens]
    visits = [{"url": url, "language": language, "theme": theme, "width": width} for url in addresses]
    for screen, found in zip(screens, browser.visit(*visits), strict=True):
        assert (found["errors"], found["elsewhere"], found["violations"]) == ([], [], []), screen
        assert found["language"] == language and found["heading"] in found["title"], screen
        assert not found["wide"], f"{screen}: the page must not scroll sideways"
        assert found["panels"] and not any(panel["trouble"] for panel in found["panels"]), screen


def test_three_screens_are_whole_and_accessible(browser, known):
    check(browser, known, ("course", "adviser", "operation"), *LOOKS[-1])


@pytest.mark.thorough
@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_every_screen_is_whole_and_accessible(browser, known, language, theme, width):
    check(browser, known, SCREENS, language, theme, width)


def test_the_numbers_are_the_oracle_s(browser, views):
    """What a table of courses shows, read as a person would, is the oracle's view."""
    expected = views["course_overall_metrics"]
    (found,) = browser.visit({"url": "#/courses"})
    (panel,) = [p for p in found["panels"] if p["view"] == "course_overall_metrics"]
    names = (
        "course_id",
        "total_enrollments",
        "total_material_accesses",
        "total_downloads",
        "unique_students_interacting",
    )
    rows = [dict(zip(names, [r[0], *(int(v.replace(",", "")) for v in r[1:])], strict=True)) for r in panel["rows"]]
    assert panel["count"].startswith(f"{len(expected):,} ")
    ids = {row["course_id"] for row in rows}
    assert len(rows) == min(50, len(expected))
    assert not differences([row for row in expected if row["course_id"].strip() in ids], rows)


@pytest.mark.thorough
def test_a_course_s_weeks_and_points_and_a_student_s_moments_are_the_oracle_s(browser, known, views):
    course, student = (unquote(known[name]) for name in ("course", "student"))
    steps = [{"click": "[data-view=grades_by_activity] .tools button"}]
    page, own = browser.visit(
        {"url": f"#/course/{known['course']}", "steps": steps}, {"url": f"#/student/{known['student']}"}
    )
    (weeks,) = [row for row in views["course_weeks"] if row["course_id"] == course]
    figures = {name: told for panel in page["panels"] for name, told in panel["figures"].items()}
    assert figures["Active in the course's last week"] == f"{weeks['students_last_week']:,}"
    assert figures["Enrolled in the course's last week"] == f"{weeks['enrolled_last_week']:,}"
    (points,) = [panel for panel in page["panels"] if panel["view"] == "grades_by_activity"]
    done = {
        row["user_id"]: row["total_events"] for row in views["course_student_activity"] if row["course_id"] == course
    }
    graded = [
        row["user_id"]
        for row in views["assessment_student_overall_performance"]
        if row["course_id"] == course and row["avg_assignment_score"] is not None and row["user_id"] in done
    ]
    assert sorted((row[0], int(row[1].replace(",", ""))) for row in points["rows"]) == sorted(
        (str(user).strip(), done[user]) for user in graded
    )
    (moments,) = [panel["items"] for panel in own["panels"] if panel["view"] == "timeline"]
    told = 0
    for view, columns in MOMENTS.items():
        for row in views[view]:
            if row["user_id"] == student:
                told += len({row[column] for column in columns} - {None})
    assert len(moments) == min(40, told) > 0


@pytest.mark.thorough
def test_hostile_names_are_names(browser):
    visits = [{"url": f"#/course/{quote(name, safe='')}"} for name in HOSTILE]
    for name, found in zip(HOSTILE, browser.visit(*visits), strict=True):
        assert found["errors"] == [] and found["title"] != "taken"
        assert name.strip() in found["heading"]
        (figures,) = [p["figures"] for p in found["panels"] if p["view"] == "course_overall_metrics"]
        assert figures["Students seen"] == "1"


def test_what_arrives_is_shown_on_an_open_page(browser, server):
    """Without a reload: the page says that it covers the new events as soon as the answer does."""
    platform = server.platform
    process = browser.start([{"url": "#/courses", "steps": [{"say": "open"}]}])
    try:
        assert process.stdout and process.stdin
        assert json.loads(process.stdout.readline()) == {"said": "open"}
        platform.records += clicks(platform.records, ["NEWCOMER"])
        while platform.waiting():
            platform.micro_batch(1.0)
        head = platform.speed.head["course_topic"]
        covered = ", ".join(f"{partition}: {end:,}" for partition, end in head.items())
        process.stdin.write(
            json.dumps([{"wait": f"[data-view=course_overall_metrics] dd:has-text('{covered}')"}]) + "\n"
        )
        told, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    (found,) = [json.loads(line) for line in told.splitlines()]
    (panel,) = [p for p in found["panels"] if p["view"] == "course_overall_metrics"]
    total = len(all_views(platform.covered(platform.speed.head))["course_overall_metrics"])
    assert panel["count"].startswith(f"{total:,} ")


@pytest.mark.thorough
def test_every_screen_of_the_menu_is_reached_by_keyboard(browser):
    screens = ("students", "adviser", "compare", "operation")
    visits = [
        {"url": "#/courses", "steps": [{"reach": f"nav a[href='#/{name}']"}, {"press": "Enter"}]} for name in screens
    ]
    assert [found["address"] for found in browser.visit(*visits)] == [f"#/{name}" for name in screens]


@pytest.mark.thorough
def test_a_number_leads_to_its_rows_by_keyboard(browser):
    steps = [
        {"reach": "[data-view=course_overall_metrics] td a"}, {"press": "Enter"}, {"wait": "[data-totals] dd a"},
        {"reach": "[data-totals] dd a"}, {"press": "Enter"}, {"wait": ".conditions"},
    ]  # fmt: skip
    (found,) = browser.visit({"url": "#/courses", "steps": steps})
    assert found["address"].startswith("#/rows/course_student_activity?is.course_id=")


def test_the_keyboard_is_enough(browser):
    steps = [{"press": "Tab"}, {"press": "Enter"}]
    (skipped,) = browser.visit({"url": "#/courses", "steps": steps})
    assert skipped["focused"].startswith("MAIN")
    opened = [{"reach": "nav a[href='#/operation']"}, {"press": "Enter"}, {"wait": "[data-view=ledger]"}]
    (operation,) = browser.visit({"url": "#/courses", "steps": opened})
    assert operation["address"] == "#/operation"


@pytest.mark.thorough
def test_searching_and_sorting_are_the_server_s(browser):
    steps = [{"type": ["[data-view=course_overall_metrics] input", "zzzz-nothing"]}, {"wait": ".empty"}]
    (nothing,) = browser.visit({"url": "#/courses", "steps": steps})
    assert [p["rows"] for p in nothing["panels"] if p["view"] == "course_overall_metrics"] == [[]]
    (sorted_up,) = browser.visit({"url": "#/courses?course_overall_metrics.sort=total_downloads"})
    (panel,) = [p for p in sorted_up["panels"] if p["view"] == "course_overall_metrics"]
    downloads = [int(row[3].replace(",", "")) for row in panel["rows"]]
    assert downloads == sorted(downloads)


@pytest.mark.thorough
def test_a_link_pins_the_run(browser, server):
    run = httpx.get(f"{server.address}/freshness", timeout=30).json()["run"]
    (found,) = browser.visit({"url": f"#/courses?run={run}"})
    expected = httpx.get(
        f"{server.address}/views/course_overall_metrics", params={"as_of_run": run, "limit": 1}, timeout=30
    )
    (panel,) = [p for p in found["panels"] if p["view"] == "course_overall_metrics"]
    assert panel["count"].startswith(f"{expected.json()['total']:,} ")


@pytest.mark.thorough
def test_everybody_finds_what_is_theirs(server, tmp_path):
    """A stranger the way in and nothing else; a student the own page, and nobody else's."""
    places = {"IDENTITY": str(tmp_path / "identity"), "DISCLOSURE_LOG": str(tmp_path / "disclosure")}
    key = create_key(open_store(places["IDENTITY"]), "student", 1, "SV1000")[1]
    with serving(server.platform, **CLOSED, **places) as closed:
        student = {"headers": {"Authorization": f"Bearer {key}"}}
        visits = ({"url": "#/course/COURSE001"}, {"url": "", **student}, {"url": "#/student/SV1001", **student})
        stranger, own, other = Browser(closed.address).visit(*visits)
    assert [panel["view"] for panel in stranger["panels"]] == ["login"] and stranger["heading"] == "Log in"
    assert (stranger["errors"], stranger["violations"], stranger["elsewhere"]) == ([], [], [])
    assert "SV1000" in own["heading"] and own["menu"] == ["#/student", "docs"]
    assert any(panel["charts"] or panel["rows"] for panel in own["panels"])
    assert not any(panel["trouble"] for panel in own["panels"])
    assert "SV1000" not in other["heading"] and not any(panel["charts"] or panel["rows"] for panel in other["panels"])
