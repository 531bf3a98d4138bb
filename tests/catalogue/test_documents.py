"""Derived files are fresh, and what they show is true."""

import datetime as dt
import json
import re

import pytest

from catalogue.documents import ROOT, documents, example
from catalogue.events import EVENT_TYPES, TOPICS
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.columns import view_columns
from runtime.settings import Settings, declared
from tests.oracle.validity import is_valid


@pytest.mark.parametrize("path", documents())
def test_derived_files_are_fresh(path):
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path], "stale: run `make docs`"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_examples_are_valid(name):
    topic = next(t for t in TOPICS.values() if EVENT_TYPES[name] in t.event_types)
    value = json.dumps(example(topic, EVENT_TYPES[name])).encode()
    assert is_valid(topic.name, dt.datetime(2026, 3, 3, tzinfo=dt.UTC), value)


@pytest.mark.parametrize("name", VIEWS)
def test_every_column_says_what_it_means(name):
    view, columns = VIEWS[name], view_columns()[name]
    assert list(view.meanings) == list(columns)
    assert set(view.key) <= set(columns)
    assert view.rollups(ROLLUPS)


def test_shares_sum_to_one():
    assert sum(t.share for t in TOPICS.values()) == pytest.approx(1)
    for topic in TOPICS.values():
        assert sum(e.weight for e in topic.event_types) == pytest.approx(1), topic.name


def test_every_setting_has_a_default_and_help():
    assert {s.name for s in declared()} == {name.upper() for name in Settings.__dataclass_fields__}
    assert all(re.match(r"[A-Z].+\.$", s.help) for s in declared())
