"""A login clicked through in a browser at a real issuer: back to the page that was wanted, and out again."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runtime.storage.opening import open_store
from serving_layer.identity.roster import write_roster
from tests.browser.conftest import Browser
from tests.serving_layer.conftest import Server, serving
from tests.serving_layer.identity.conftest import Issuer

ROLES = {"GV001": "lecturer", "AD001": "adviser", "SV001": "student"}


@pytest.fixture(scope="module")
def closed(server, tmp_path_factory) -> Iterator[Server]:
    """The same data behind a login."""
    folder, issuer = tmp_path_factory.mktemp("closed"), Issuer()
    write_roster(
        open_store(str(folder / "identity")), {"GV001": frozenset({"COURSE001"})}, {"AD001": frozenset({"SV001"})}
    )
    places = {name: str(folder / name.lower()) for name in ("IDENTITY", "DISCLOSURE_LOG")}
    try:
        for person, role in ROLES.items():
            httpx.put(f"{issuer.address}/users/{person}", json={"role": role}, timeout=30).raise_for_status()
        asked = {"AUTHENTICATION": "required", "OIDC_ISSUER": issuer.address, "OIDC_CLIENT_SECRET": "any"}
        with serving(server.platform, **asked, **places) as running:
            yield running
    finally:
        issuer.stop()


def entering(person: str) -> list[dict]:
    """From the door to where one wanted to go, by keyboard from our page on."""
    return [
        {"reach": "a.door"}, {"press": "Enter"}, {"wait": "input[name=sub]"}, {"type": ["input[name=sub]", person]},
        {"click": "button[type=submit]"}, {"wait": ".frame button"},
    ]  # fmt: skip


def test_a_lecturer_logs_in_and_is_where_they_wanted_to_be(closed):
    (found,) = Browser(closed.address).visit({"url": "#/course/COURSE001", "steps": entering("GV001")})
    assert found["address"] == "#/course/COURSE001" and "COURSE001" in found["heading"]
    assert (found["errors"], found["violations"]) == ([], [])
    assert all(place.startswith("http://127.0.0.1:") for place in found["elsewhere"]), "the issuer, and nobody else"
    assert not any(panel["trouble"] for panel in found["panels"])


@pytest.mark.thorough
def test_everybody_finds_the_own_screens_and_leaves_again(closed):
    leaving = [{"reach": ".frame button"}, {"press": "Enter"}, {"wait": "a.door"}]
    visits = [{"url": "", "steps": entering(person)} for person in ROLES]
    visits.append({"url": "#/student/SV001", "steps": [*entering("AD001"), *leaving]})
    visits.append({"url": "#/student/SV001", "steps": entering("GV001")})
    lecturer, adviser, student, left, one = Browser(closed.address).visit(*visits)
    assert lecturer["menu"] == ["#/courses", "#/adviser", "#/compare", "docs"]
    assert adviser["menu"] == ["#/students", "#/adviser", "docs"]
    assert student["menu"] == ["#/student", "docs"] and "SV001" in student["heading"]
    for found in (lecturer, adviser, student, one):
        assert (found["errors"], found["violations"]) == ([], [])
        assert not any(panel["trouble"] for panel in found["panels"])
    assert [panel["view"] for panel in left["panels"]] == ["login"]


@pytest.mark.thorough
def test_an_adviser_writes_with_the_token_of_the_login(closed):
    form = "[data-view=advice] form"
    steps = [*entering("AD001"), {"wait": form}, {"click": f"{form} button"}, {"wait": "[data-view=advice] .events li"}]
    (found,) = Browser(closed.address).visit({"url": "#/student/SV001", "steps": steps})
    assert (found["errors"], found["violations"]) == ([], [])
    assert found["address"] == "#/student/SV001"
