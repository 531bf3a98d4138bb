"""The page of mappings is what the code says."""

import re

from catalogue.events import EVENT_TYPES
from ingestion_layer.replay import FORMATS, format_named
from ingestion_layer.replay.documents import PAGE, page


def test_the_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_rules_name_types_of_the_catalogue_and_each_source_once():
    for form in map(format_named, FORMATS):
        names = [name for rule in form.rules for name in rule.names]
        assert len(names) == len(set(names))
        assert {t for rule in form.rules for t in rule.becomes.split(", ")} <= {*EVENT_TYPES, "(none)"}


def test_every_format_has_its_section():
    assert re.findall(r"^## (\w+):", page(), re.M) == [name for name in FORMATS if name != "events"] + ["events"]
