"""Nobody sees what they should not: roles, rosters and requests against a second telling of the rules."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from random import Random

import duckdb
import pyarrow as pa
import pytest

from catalogue.views import VIEWS
from catalogue.views.disclosure import PEOPLE, disclosure
from catalogue.views.windows import WINDOWS
from serving_layer.errors import Forbidden
from serving_layer.identity.sight import SMALLEST_GROUP, WHOLE, Sight, pseudonym_of, sight_of
from serving_layer.identity.viewer import ROLES, Viewer
from tests.serving_layer.identity.conftest import ADVISES, PERSONS, TEACHES, Closed
from tests.serving_layer.identity.model import SECRET, Person, asked, place, suits, visible
from tests.serving_layer.identity.triples import run

TRIPLES = 500
ADMIN = PERSONS[0]


@pytest.fixture(scope="module")
def whole(closed: Closed) -> dict[str, dict[str, list[dict]]]:
    """Every row of every view, by layer."""
    return {
        layer: {view: closed.get(ADMIN, f"/views/{view}?limit=10000&layer={layer}").json()["rows"] for view in VIEWS}
        for layer in ("merged", "batch", "speed")
    }


def test_nobody_is_shown_more_or_less(closed: Closed, whole):
    """Random triples of role, roster and request, over layers, filters, sorts, pages and formats."""
    rng, seen = Random(15), {"rows": 0, "forbidden": 0, "hidden": 0}
    for _ in range(TRIPLES):
        person, view, layer = rng.choice(PERSONS), rng.choice(list(VIEWS)), rng.choice(("merged", "batch", "speed"))
        everything = whole[layer][view]
        mine = visible(person, view, everything, TEACHES, ADVISES)
        parameters = asked(rng, view, everything, person)
        groups = mine is not None and person.role in ("lecturer", "adviser", "student") and view in PEOPLE
        answer = closed.http.get(
            f"/views/{view}",
            params={**parameters, "layer": layer, "limit": "10000"},
            headers={"Authorization": f"Bearer {closed.keys[person]}"},
        )
        if mine is None or (groups and layer != "merged"):
            assert answer.status_code == 403, (person, view, layer, answer.text)
            assert set(answer.json()) == {"name", "detail"} and answer.json()["name"] == view
            seen["forbidden"] += 1
            continue
        assert answer.status_code == 200, (person, view, parameters, answer.text)
        wanted = [row for row in mine if suits(row, parameters)]
        got = answer.json()
        assert sorted(map(place, got["rows"])) == sorted(map(place, wanted)), (person, view, layer, parameters)
        assert got["total"] == len(wanted)
        seen["rows"] += len(wanted)
        seen["hidden"] += len(everything) - len(mine)
        if rng.random() < 0.3:
            _pages_agree(closed, person, view, {**parameters, "layer": layer}, wanted, rng)
    assert min(seen.values()) > 100, seen


def _pages_agree(
    closed: Closed, person: Person, view: str, parameters: dict[str, str], wanted: list[dict], rng: Random
):
    """Pages by a random sort, and the other formats, have the same rows."""
    names = list(wanted[0]) if wanted else list(VIEWS[view].key)
    parameters = parameters | {"sort": rng.choice(("", "-")) + rng.choice(names), "limit": str(rng.randint(1, 40))}
    rows, cursor = [], None
    for _ in range(400):
        page = closed.http.get(
            f"/views/{view}",
            params=parameters | ({"cursor": cursor} if cursor else {}),
            headers={"Authorization": f"Bearer {closed.keys[person]}"},
        ).json()
        assert page["total"] == len(wanted)
        rows += page["rows"]
        cursor = page["next"]
        if not cursor:
            break
    assert sorted(map(place, rows)) == sorted(map(place, wanted))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_a_rule(view):
    """Whatever a view's key is, each role has an answer, and a new view's rows are nobody's by mistake."""
    rule = disclosure(VIEWS[view])
    for role in ROLES:
        nobody = Viewer(role)
        try:
            sight = sight_of(nobody, view, rule, b"k" * 32)
        except Forbidden:
            assert role in ("lecturer", "adviser", "student")
            continue
        assert role in ("admin", "service", "analyst") or (sight.people and not rule.person and not rule.course)
        assert (sight == WHOLE) == (role in ("admin", "service") or (role == "analyst" and not rule.person))


def test_columns_that_count_people_exist():
    from catalogue.views.columns import view_columns

    columns = view_columns()
    for name, column in PEOPLE.items():
        view = VIEWS.get(name) or WINDOWS[name]
        assert column in columns.get(name, view.meanings) and not disclosure(view).person


def test_an_unknown_role_sees_nothing():
    for view in VIEWS.values():
        with pytest.raises(Forbidden):
            sight_of(
                Viewer("dean", "SV001", frozenset({"COURSE001"}), frozenset({"SV001"})), view.name, disclosure(view)
            )


def test_analysts_need_a_key():
    with pytest.raises(Forbidden, match="PSEUDONYM_KEY"):
        sight_of(Viewer("analyst"), "auth_user_session_metrics", disclosure(VIEWS["auth_user_session_metrics"]))


def test_pseudonyms_are_hmacs():
    con = duckdb.connect()
    people = ["SV001", "", "foreign/ü ☃", "a\0b", None, "😀" * 128]
    con.register("people", pa.table({"user_id": people}))
    for key in (b"k" * 32, b"k" * 64, SECRET.encode()):
        found = con.execute(f"FROM {Sight(pseudonym='user_id', key=key).of(con, 'people')}").fetchall()
        expected = [p if p is None else hmac.new(key, p.encode(), hashlib.sha256).hexdigest()[:24] for p in people]
        assert [row[0] for row in found] == expected
        assert [pseudonym_of(p, key) for p in people if p is not None] == [e for e in expected if e is not None]


def test_sights_differ_where_what_is_seen_does():
    sights = [
        WHOLE,
        Sight("course_id", frozenset({"a"})),
        Sight("course_id", frozenset({"a", "b"})),
        Sight("user_id", frozenset({"a"})),
        Sight(people="unique_users"),
        Sight(pseudonym="user_id", key=b"k" * 32),
        Sight(pseudonym="user_id", key=b"l" * 32),
    ]
    assert len({sight.mark for sight in sights}) == len(sights) and WHOLE.mark == ""


def test_small_groups_are_hidden_below_five():
    con = duckdb.connect()
    con.register("groups", pa.table({"people": list(range(10))}))
    found = con.execute(f"FROM {Sight(people='people').of(con, 'groups')} ORDER BY 1").fetchall()
    assert [row[0] for row in found] == [5, 6, 7, 8, 9] and SMALLEST_GROUP == 5


def test_random_triples_below_http():
    """A part of what `make test-sight` does a hundred thousand times."""
    seen = asyncio.run(run(400, 7))
    assert min(seen[name] for name in ("answered", "refused", "rows", "hidden")) > 50, seen
