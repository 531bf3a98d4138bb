"""How many there are of what the catalogue declares stands in what is printed from it, and nowhere in prose."""

from __future__ import annotations

import json
import re

import pytest

from catalogue.documents import documents
from catalogue.events import EVENT_TYPES, JOBS, TOPICS
from catalogue.views import ROLLUPS, VIEWS
from tests.documentation.test_pages import ROOT, tracked

WORDS = {5: "five", 6: "six", 7: "seven", 8: "eight", 10: "ten", 15: "fifteen", 36: "thirty-six", 37: "thirty-seven"}
# What is declared, as prose calls it, and the numbers of them that a new one makes wrong.
AGREED = [view.topic for view in VIEWS.values() if not view.further]
ALL = [view.topic for view in VIEWS.values()]
COUNTED = {
    "views": {n for some in (AGREED, ALL) for n in (len(some), *map(some.count, TOPICS))} - {1, 2, 3, 4},
    "(?:event types|types of events?)": {len(EVENT_TYPES)},
    "rollups": {len(ROLLUPS)},
    "topics": {len(TOPICS)},
    "jobs": {len(JOBS)},
}
READ = (".md", ".py", ".env", ".yaml", ".yml", ".toml", ".sh", ".ps1", ".xml", ".ipynb")


def counts(text: str) -> list[str]:
    """Where a text tells one of the numbers: '37 views', 'six topics'."""
    found = []
    for noun, numbers in COUNTED.items():
        told = "|".join((*map(str, numbers), *(WORDS[n] for n in numbers if n in WORDS)))
        found += re.findall(rf"(?<![\w.,:-])(?:{told})\s{noun}\b(?!=)", text, re.IGNORECASE)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The 37 views, of six topics", ["37 views", "six topics"]),
        ("rows of all views; 1,037 views; port 15 rollups=3; video_topic (7 views)", ["7 views"]),
        ("36 event types, Five jobs", ["36 event types", "Five jobs"]),
    ],
)
def test_a_count_is_found(text, found):
    assert counts(text) == found


def test_no_text_counts_what_the_catalogue_declares():
    printed = {*documents(), "tests/documentation/test_counts.py"}
    found = {}
    for path in tracked():
        if path.endswith(READ) and path not in printed:
            text = (ROOT / path).read_text(encoding="utf-8")
            if path.endswith(".ipynb"):
                text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            if here := counts(text):
                found[path] = here
    assert not found, "a new view or type makes it wrong: leave the number out, or print it from the catalogue"
