"""What is refused of rollups and views, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.columns import database_faults
from catalogue.views.judgement import rollup_faults, view_faults
from catalogue.views.rollups import Measure, Rollup, earliest, number, total
from catalogue.views.view import View

TOPIC = "course_topic"
ROLLUP = Rollup("course_seen", TOPIC, ("user_id", "course_id"), (number("events"),), "event_type = 'COURSE_VIEW'")
SQL = """
SELECT
    user_id,  -- user
    course_id,  -- course
    whole(events) AS views  -- times the page was opened, its reloads, too
FROM course_seen GROUP BY user_id, course_id"""
VIEW = View("course_visits", TOPIC, ("user_id", "course_id"), SQL)
OTHER = Rollup("video_seen", "video_topic", ("user_id", "course_id"), (number("events"),))

MADE = "'ts', 'date', 'hour', 'minute'"
OF = f"a field of course_topic or one of {MADE}"
SMALL = "must be of small letters, digits and _; got"
TOPICS = "'auth_topic', 'assessment_topic', 'video_topic', 'course_topic', 'profile_topic', 'notification_topic'"
ROLLUP_FAULTS = {
    "a name": (replace(ROLLUP, name="Seen"), f"rollup 'Seen': name {SMALL} 'Seen'"),
    "an unknown topic": (replace(ROLLUP, topic="topic"), f"topic must be one of {TOPICS}; got 'topic'"),
    "a grain of nothing": (replace(ROLLUP, grain=()), "grain must be one column or more; got nothing"),
    "a grain column that no event has": (
        replace(ROLLUP, grain=("user_id", "curse_id")),
        f"grain column 'curse_id' must be {OF}; got a name that it lacks",
    ),
    "no measures": (replace(ROLLUP, measures=()), "measures must be one or more; got nothing"),
    "a column twice": (
        replace(ROLLUP, measures=(number("events"), number("events"))),
        "column 'events' must stand once in grain and measures; got it repeated",
    ),
    "a field in where that no event has": (
        replace(ROLLUP, where="curse_id IS NOT NULL"),
        f"where must read {OF}; got 'curse_id'",
    ),
    "an event type of none": (
        replace(ROLLUP, where="event_type IN ('COURSE_VIEW', 'COURSE_VEIW')"),
        "where must name event types of course_topic; got 'COURSE_VEIW'",
    ),
    "a measure's name": (replace(ROLLUP, measures=(number("Events"),)), f"measure 'Events' {SMALL} 'Events'"),
    "a measure that doesn't merge": (
        replace(ROLLUP, measures=(Measure("events", "avg", "max_students"),)),
        "measure 'events' must merge by sum, min or max; got 'avg'",
    ),
    "a measure over no field": (
        replace(ROLLUP, measures=(total("events", "curse_stars"),)),
        f"measure 'events' must read {OF}; got 'curse_stars'",
    ),
    "a measure's condition over no field": (
        replace(ROLLUP, measures=(number("events", "rule = 'student'"),)),
        f"measure 'events': where must read {OF}; got 'rule'",
    ),
    "a sum of texts": (
        replace(ROLLUP, measures=(total("events", "course_name"),)),
        "measure 'events' must take a number; got 'course_name', a string",
    ),
    "the least of texts": (
        replace(ROLLUP, measures=(earliest("events", "course_name"),)),
        "measure 'events' must take a number or ts; got 'course_name', a string",
    ),
    "a list that is none": (
        replace(ROLLUP, grain=("user_id", "name"), unnest="course_name", unnest_as="name"),
        "unnest must be a list among the fields of course_topic; got 'course_name'",
    ),
    "a list's entry without a list": (
        replace(ROLLUP, unnest_as="name"),
        "unnest and unnest_as must be given together; got '' and 'name'",
    ),
}


@pytest.mark.parametrize("name", ROLLUP_FAULTS)
def test_a_rollup_s_fault_is_told_in_these_words_and_alone(name):
    rollup, told = ROLLUP_FAULTS[name]
    said = told if told.startswith("rollup") else f"rollup 'course_seen': {told}"
    assert list(rollup_faults([rollup], [f"FROM {rollup.name}"])) == [said]


def test_a_rollup_that_stands_twice_or_that_nothing_reads():
    unread = replace(ROLLUP, name="unread")
    assert list(rollup_faults([ROLLUP, ROLLUP, unread], [SQL])) == [
        "rollup 'course_seen': name must stand once; got it repeated",
        "rollup 'unread': must be read by a view; got none that does",
    ]


def texted(old: str, new: str, **change) -> View:
    assert old in SQL
    return replace(VIEW, sql=SQL.replace(old, new), **change)


GROUPED = "key must be unique, what the SELECT groups by; got 'user_id', 'course_id' grouped by"
VIEW_FAULTS = {
    "a name": (replace(VIEW, name="Visits"), f"view 'Visits': name {SMALL} 'Visits'"),
    "a column without meaning": (
        texted("  -- times the page was opened, its reloads, too", ""),
        "column 'views' must have its meaning behind it, `-- meaning`; got none",
    ),
    "a key column without meaning": (
        texted("  -- course", ""),
        "column 'course_id' must have its meaning behind it, `-- meaning`; got none",
    ),
    "a column without name": (
        texted("AS views", "+ 0"),
        "column 3 must have a name, `expression AS name`; got 'whole(events) + 0'",
    ),
    "a column twice": (
        texted("AS views", "AS course_id"),
        "column 'course_id' must stand once; got it repeated",
    ),
    "a key that isn't first": (
        replace(VIEW, key=("course_id", "user_id")),
        "key must be its first columns; got 'course_id', 'user_id' before 'user_id', 'course_id', 'views'",
    ),
    "a key whose person isn't first": (
        replace(
            VIEW,
            key=("course_id", "user_id"),
            sql=SQL.replace(
                "    user_id,  -- user\n    course_id,  -- course\n",
                "    course_id,  -- course\n    user_id,  -- user\n",
            ),
        ),
        "key must begin with its shard, 'user_id'; got 'course_id', 'user_id'",
    ),
    "no key": (
        replace(VIEW, key=()),
        "key must be its first columns; got nothing before 'user_id', 'course_id', 'views'",
    ),
    "a key of too little": (
        replace(VIEW, key=("user_id",)),
        "key must be unique, what the SELECT groups by; got 'user_id' grouped by 'user_id', 'course_id'",
    ),
    "a key of too much": (texted("GROUP BY user_id, course_id", "GROUP BY user_id"), f"{GROUPED} 'user_id'"),
    "a table that is no rollup": (
        texted("GROUP", "JOIN course_sin USING (user_id) GROUP"),
        "table 'course_sin' must be a rollup or a common table of its own; got neither",
    ),
    "a rollup of another topic": (
        texted("GROUP", "SEMI JOIN video_seen USING (user_id) GROUP"),
        "rollup 'video_seen' must be of course_topic; got one of video_topic",
    ),
    "a column that is called as a rollup": (
        texted("AS views", "AS video_seen"),
        "'video_seen' must be read as a table, as a rollup has the name; got it elsewhere in the SELECT",
    ),
    "no rollup": (
        replace(VIEW, sql="WITH seen AS (SELECT 1 AS user_id)" + SQL.replace("course_seen", "seen")),
        "SELECT must read a rollup; got none",
    ),
    "an unknown topic": (
        replace(VIEW, topic="topic"),
        [
            "rollup 'course_seen' must be of topic; got one of course_topic",
            f"topic must be one of {TOPICS}; got 'topic'",
        ],
    ),
    "sharded_by of a rollup that it doesn't read": (
        replace(VIEW, sharded_by=(("video_seen", "user_id"),)),
        "sharded_by must name rollups that it reads; got 'video_seen'",
    ),
    "a shard that the rollup lacks": (
        replace(VIEW, sharded_by=(("course_seen", "student_id"),)),
        "shard 'student_id' must be in the grain of 'course_seen', else sharded_by tells its column; got neither",
    ),
    "a link that the rollup lacks": (
        replace(VIEW, link="video_id"),
        "link 'video_id' must be in the grain of 'course_seen'; got 'user_id', 'course_id'",
    ),
    "a link's grain without it": (
        replace(VIEW, link="course_id", link_grain=("user_id",)),
        "link_grain must hold the link; got 'user_id' without 'course_id'",
    ),
}


@pytest.mark.parametrize("name", VIEW_FAULTS)
def test_a_view_s_fault_is_told_in_these_words_and_alone(name):
    view, told = VIEW_FAULTS[name]
    said = [told] if isinstance(told, str) else told
    expected = [text if text.startswith("view ") else f"view 'course_visits': {text}" for text in said]
    assert list(view_faults([view], [ROLLUP, OTHER])) == expected


def test_a_key_that_is_not_in_the_grain():
    sql = SQL.replace("    course_id,", "    substr(course_id, 1, 3) AS kind,")
    view = replace(VIEW, key=("user_id", "kind"), sql=sql.replace("GROUP BY user_id, course_id", "GROUP BY ALL"))
    assert list(view_faults([view], [ROLLUP])) == [
        "view 'course_visits': key must be unique, what the SELECT groups by; got 'user_id', 'kind' grouped by 'ALL'",
        "view 'course_visits': key column 'kind' must be in the grain of a rollup that it reads; "
        "got 'course_id', 'user_id'",
    ]


def test_a_view_that_stands_twice():
    assert list(view_faults([VIEW, VIEW], [ROLLUP])) == ["view 'course_visits': name must stand once; got it repeated"]


def test_what_the_catalogue_declares_is_taken():
    assert list(rollup_faults([*ROLLUPS.values()], [v.sql for v in VIEWS.values()])) == []
    assert list(view_faults([*VIEWS.values()], [*ROLLUPS.values()])) == []


def test_what_only_the_database_can_tell():
    assert list(database_faults(ROLLUPS.values(), VIEWS.values())) == []
    texts = replace(ROLLUP, measures=(number("events"), earliest("least", "length(course_id) || ''")))
    assert list(database_faults([texts], [texted("whole(events)", "whole(event)")])) == [
        "rollup 'course_seen': column 'least' must be BIGINT; got VARCHAR",
        "view 'course_visits': SELECT must be one that DuckDB takes; got "
        'Binder Error: Referenced column "event" not found in FROM clause!',
    ]
    broken = replace(ROLLUP, where="date_of(ts)")
    assert list(database_faults([broken], []))[0].startswith(
        "rollup 'course_seen': SELECT must be one that DuckDB takes; got Catalog Error: "
    )
