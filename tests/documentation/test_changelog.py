"""The changelog has the form of Keep a Changelog, and the version that is released is the project's."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from itertools import pairwise
from pathlib import Path

from deployment.pins import pins

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_headings_are_those_of_the_form():
    headings = re.findall(r"^#+ .*$", changelog(), re.MULTILINE)
    assert headings[:2] == ["# Changelog", "## [Unreleased]"]
    wrong = [h for h in headings[2:] if not RELEASE.match(h) and h not in {f"### {name}" for name in SECTIONS}]
    assert not wrong


def test_no_section_is_empty_or_there_twice():
    for part in re.split(r"^## .*$", changelog(), flags=re.MULTILINE)[1:]:
        names = re.findall(r"^### (\w+)$", part, re.MULTILINE)
        assert len(names) == len(set(names))
        assert all(re.match(r"\n- ", text) for text in re.split(r"^### \w+$", part, flags=re.MULTILINE)[1:])


def test_releases_go_from_the_newest_to_the_oldest():
    found = [(tuple(map(int, v.split("."))), dt.date.fromisoformat(day)) for v, day in RELEASE.findall(changelog())]
    assert found and all(newer > older for newer, older in pairwise(found))


def test_the_newest_release_is_the_project_s_version():
    newest = RELEASE.findall(changelog())[0][0]
    assert PROJECT["version"] == newest == pins()["PLATFORM_VERSION"]


def test_the_licence_is_the_one_that_the_project_names():
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")
