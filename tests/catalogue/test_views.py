"""The catalogue's rollups and views fit each other, their topics and the contract."""

from __future__ import annotations

import re

import pytest

from catalogue.documents import view_columns
from catalogue.events import JOBS, TOPICS
from catalogue.inspection import connect
from catalogue.rollups import DIALECT, MAX_SUM, Rollup, View, earliest, latest, number, total
from catalogue.validation import fields_of
from catalogue.views import ROLLUPS, VIEWS
from tests.oracle.views import all_views

TYPED = {"event_type", "ts", "date", "hour"}


def test_the_views_are_the_contracts():
    assert set(VIEWS) == set(all_views([])), "names of the 37 views"
    per_job = {job: [v for v in VIEWS.values() if TOPICS[v.topic].job == job] for job in JOBS}
    assert {job: len(found) for job, found in per_job.items()} == {
        "auth": 5, "assessment": 7, "video": 7, "course": 8, "profile_notification": 10,
    }  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_on_rollups_of_its_topic(name):
    view = VIEWS[name]
    tables = set(re.findall(r"(?:FROM|JOIN)\s+(\w+)", view.sql))
    assert view.rollups(ROLLUPS) and {r.name for r in view.rollups(ROLLUPS)} == tables & set(ROLLUPS)
    assert tables - set(ROLLUPS) <= set(re.findall(r"(\w+) AS \(", view.sql)), "tables that nobody declares"
    assert list(view_columns()[name])[: len(view.key)] == list(view.key), "the key comes first"


@pytest.mark.parametrize("name", ROLLUPS)
def test_a_rollup_reads_fields_of_its_topic(name):
    rollup = ROLLUPS[name]
    known = set(fields_of(TOPICS[rollup.topic])) | TYPED | {rollup.unnest_as}
    assert set(rollup.grain) <= known
    assert any(rollup in view.rollups(ROLLUPS) for view in VIEWS.values()), "a rollup that no view reads"
    assert all(m.merge in ("sum", "min", "max") for m in rollup.measures)
    named = re.findall(r"'([A-Z_]+)'", " ".join((rollup.where, *(m.where for m in rollup.measures))))
    types = {e.name for e in TOPICS[rollup.topic].event_types}
    assert {text for text in named if text.isupper()} <= types, "event types that the topic doesn't have"


def test_measures():
    rollup = Rollup(
        "sample", "video_topic", ("k",),
        (number("n"), number("above", "x > 1"), total("sum_x", "x"), earliest("low", "x"), latest("high", "x", "x < 9")),
    )  # fmt: skip
    con = connect()
    con.execute("CREATE TABLE events AS FROM (VALUES ('a', 1), ('a', 2), ('a', NULL), (NULL, 9)) t(k, x)")
    rows = sorted(con.execute(rollup.roll_up("events")).fetchall(), key=str)
    assert rows == [("a", 3, 1, 3, 1, 2), (None, 1, 1, 9, 9, None)]
    con.execute(f"CREATE TABLE states AS {rollup.roll_up('events')}")
    con.execute("INSERT INTO states FROM states")
    assert sorted(con.execute(rollup.merge("states")).fetchall(), key=str) == [
        ("a", 6, 2, 6, 1, 2),
        (None, 2, 2, 18, 9, None),
    ]


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        (1, 3, 33.33),
        (2, 3, 66.67),
        (1, 8, 12.5),
        (1, 800, 0.13),
        (1, 80000, 0.0),
        (0, 5, 0.0),
        (5, 5, 100.0),
        (7, 0, None),
        (3, 2, 150.0),
    ],
)
def test_percentages_are_rounded_half_up(part, whole, percent):
    con = connect()
    for statement in DIALECT:
        con.execute(statement)
    assert con.execute(f"SELECT percentage({part}::BIGINT, {whole}::BIGINT)").fetchall() == [(percent,)]
    assert con.execute(f"SELECT typeof(percentage({part}::BIGINT, {whole}::BIGINT))").fetchall() == [("DOUBLE",)]


def test_sums_stop_at_the_greatest_number():
    con = connect()
    for statement in DIALECT:
        con.execute(statement)
    assert con.execute(f"SELECT whole(x) FROM (VALUES ({MAX_SUM}), (5)) t(x)").fetchall() == [(MAX_SUM,)]


def test_what_a_view_says_of_itself_is_read_from_its_text():
    view = View("v", "t", ("a",), "\nSELECT\n    a,  -- first\n    b + 1 AS c  -- second, with commas\nFROM r")
    assert view.meanings == {"a": "first", "c": "second, with commas"}
