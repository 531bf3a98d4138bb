"""Advisers' thresholds go with them to every device, and what others write is there without a reload."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from serving_layer.advising.thresholds import DEFAULTS

OPENED = [{"reach": ".limits summary"}, {"press": "Enter"}]
NOTE = "Written on another page, \u202edrawkcab <i>too</i>."


@pytest.fixture
def own(server) -> Iterator[str]:
    """Where thresholds are; they are as they were afterwards."""
    yield f"{server.address}/advice/thresholds"
    httpx.put(f"{server.address}/advice/thresholds", json=DEFAULTS, timeout=30).raise_for_status()


def titles(found: dict) -> list[str]:
    """What the numbers of the page are called."""
    return [name for panel in found["panels"] for name in panel["figures"]]


@pytest.mark.thorough
def test_a_threshold_is_chosen_by_keyboard_and_kept_for_every_device(browser, own):
    steps = [*OPENED, {"reach": ".limits input"}, {"press": "Control+a"}, {"keys": "3"}, {"press": "Tab"}]
    steps.append({"wait": "dt:text-is('No visit for 3 days')"})
    here, elsewhere = browser.visit({"url": "#/adviser", "steps": steps}, {"url": "#/adviser"})
    for found in (here, elsewhere):
        assert (found["errors"], found["violations"]) == ([], [])
        assert "No visit for 3 days" in titles(found) and found["address"] == "#/adviser"
    assert httpx.get(own, timeout=30).json()["thresholds"] == {**DEFAULTS, "quiet": 3}


@pytest.mark.thorough
def test_a_link_says_other_thresholds(browser, own):
    (found,) = browser.visit({"url": "#/adviser?quiet=5&grade=wrong"})
    assert {"No visit for 5 days", f"Mean grade below {DEFAULTS['grade']}"} <= set(titles(found))
    assert httpx.get(own, timeout=30).json()["thresholds"] == DEFAULTS


def test_what_another_writes_and_chooses_is_shown_on_open_pages(browser, server, own):
    note = {"student": "SV003", "kind": "note", "text": NOTE}
    for url, (method, path, body), seen in (
        ("#/student/SV003", ("POST", "", note), f'.events p:has-text("{NOTE}")'),
        ("#/adviser", ("PUT", "/thresholds", {"open": 21}), "dt:text-is('Work open for 21 days')"),
    ):
        process = browser.start([{"url": url, "steps": [{"say": "open"}]}])
        try:
            assert process.stdout and process.stdin
            assert json.loads(process.stdout.readline()) == {"said": "open"}
            httpx.request(method, f"{server.address}/advice{path}", json=body, timeout=30).raise_for_status()
            process.stdin.write(json.dumps([{"wait": seen}]) + "\n")
            told, _ = process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode == 0
        (found,) = [json.loads(line) for line in told.splitlines()]
        assert (found["errors"], found["violations"]) == ([], [])
