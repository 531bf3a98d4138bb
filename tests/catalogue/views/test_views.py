"""The catalogue's rollups and views fit each other, their topics and the contract."""

from __future__ import annotations

import re

import pytest

from catalogue.events import JOBS, TOPICS
from catalogue.sql.typed_events import fields_of
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.rollups import View
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


def test_what_a_view_says_of_itself_is_read_from_its_text():
    view = View("v", "t", ("a",), "\nSELECT\n    a,  -- first\n    b + 1 AS c  -- second, with commas\nFROM r")
    assert view.meanings == {"a": "first", "c": "second, with commas"}
