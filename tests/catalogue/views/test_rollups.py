"""Measures of a rollup and the dialect's functions, on small tables worked out by hand."""

from __future__ import annotations

import pytest

from catalogue.sql.dialect import connect
from catalogue.views.rollups import MAX_SUM, Rollup, earliest, latest, number, total


def test_measures():
    rollup = Rollup(
        "sample",
        "video_topic",
        ("k",),
        (
            number("n"),
            number("above", "x > 1"),
            total("sum_x", "x"),
            earliest("low", "x"),
            latest("high", "x", "x < 9"),
        ),
    )
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
    assert con.execute(f"SELECT percentage({part}::BIGINT, {whole}::BIGINT)").fetchall() == [(percent,)]
    assert con.execute(f"SELECT typeof(percentage({part}::BIGINT, {whole}::BIGINT))").fetchall() == [("DOUBLE",)]


def test_sums_stop_at_the_greatest_number():
    con = connect()
    assert con.execute(f"SELECT whole(x) FROM (VALUES ({MAX_SUM}), (5)) t(x)").fetchall() == [(MAX_SUM,)]
