"""Derived files are fresh, and what they show is true."""

import datetime as dt
import json
import re

import pytest

from catalogue.documents import ROOT, documents, example
from catalogue.events import EVENT_TYPES, TOPICS
from runtime.settings import Settings, declared
from tests.oracle.validity import is_valid

PRINTED = documents()


@pytest.mark.parametrize("path", PRINTED)
def test_derived_files_are_fresh(path):
    assert (ROOT / path).read_text(encoding="utf-8") == PRINTED[path], "stale: run `make docs`"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_examples_are_valid(name):
    topic = next(t for t in TOPICS.values() if EVENT_TYPES[name] in t.event_types)
    value = json.dumps(example(topic, EVENT_TYPES[name])).encode()
    assert is_valid(topic.name, dt.datetime(2026, 3, 3, tzinfo=dt.UTC), value), (
        "the oracle takes no such event: RULES of tests/oracle/validity.py says a second time what its type must hold"
    )


def test_every_setting_has_a_default_and_help():
    assert {s.name for s in declared()} == {name.upper() for name in Settings.__dataclass_fields__}
    assert all(re.match(r"[A-Z].+\.$", s.help) for s in declared())
