"""Nobody sees what they should not: roles, rosters and requests against a second telling of the rules."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from catalogue.views import VIEWS
from catalogue.views.disclosure import PEOPLE, disclosure
from catalogue.views.windows import WINDOWS
from serving_layer.errors import Forbidden
from serving_layer.identity.sight import SMALLEST_GROUP, WHOLE, Sight, pseudonym_of, sight_of
from serving_layer.identity.viewer import ROLES, Viewer
from tests.serving_layer.identity.conftest import ADVISES, PERSONS, SECRET, TEACHES, Closed, Person

TRIPLES = 500
ADMIN = PERSONS[0]


def pseudonym(person: str) -> str:
    return hmac.new(SECRET.encode(), person.encode(), hashlib.sha256).hexdigest()[:24]


def visible(person: Person, view: str, rows: list[dict]) -> list[dict] | None:
    """What a person may see of a view's rows; None: nothing of the view at all. It shares nothing with the product."""
    columns = set(VIEWS[view].key)
    who = next((c for c in ("student_id", "user_id") if c in columns), None)
    if person.role in ("admin", "service"):
        return rows
    if person.role == "analyst":
        return [{**row, who: pseudonym(row[who])} for row in rows] if who else rows
    if person.role == "lecturer" and "course_id" in columns:
        taught = TEACHES.get(person.id)
        return [row for row in rows if row["course_id"] in taught] if taught else None
    if person.role == "adviser" and who:
        advised = ADVISES.get(person.id)
        return [row for row in rows if row[who] in advised] if advised else None
    if person.role == "student" and who:
        return [row for row in rows if row[who] == person.id]
    counted = {
        "auth_daily_active_users": "daily_active_users",
        "auth_registration_analytics": "new_signups",
        "profile_field_changes": "unique_users_updating",
        "profile_daily_activity": "unique_users",
        "notification_delivery_stats": "unique_recipients",
        "notification_daily_activity": "unique_users",
    }
    if who or "course_id" in columns or view not in counted:
        return None
    return [row for row in rows if row[counted[view]] >= 5]


@pytest.fixture(scope="module")
def whole(closed: Closed) -> dict[str, dict[str, list[dict]]]:
    """Every row of every view, by layer."""
    return {
        layer: {view: closed.get(ADMIN, f"/views/{view}?limit=10000&layer={layer}").json()["rows"] for view in VIEWS}
        for layer in ("merged", "batch", "speed")
    }


def place(row: dict) -> str:
    return repr(sorted(row.items(), key=lambda item: item[0]))


def asked(rng: Random, view: str, rows: list[dict], person: Person) -> tuple[dict[str, str], list[dict]]:
    """Parameters of a random request, often for what isn't the person's, and the rows of `rows` that suit them."""
    parameters: dict[str, str] = {}
    names = list(rows[0]) if rows else list(VIEWS[view].key)
    who = next((c for c in ("student_id", "user_id") if c in VIEWS[view].key), None)
    for name in rng.sample(names, k=min(len(names), rng.choice((0, 1, 1, 2)))):
        values = [row[name] for row in rows if row[name] is not None]
        if not values:
            continue
        value = rng.choice(values)
        if person.role == "analyst" and name == who and rng.random() < 0.7:
            value = pseudonym(value)
        match rng.choice(("", "", "__in", "__gte", "__lt", "__isnull")):
            case "__isnull":
                parameters[f"{name}__isnull"] = "true"
            case "__in" if isinstance(value, str):
                more = rng.choice(values)
                parameters[f"{name}__in"] = ",".join('"' + v.replace('"', '""') + '"' for v in (value, str(more)))
            case operator if operator in ("__gte", "__lt"):
                parameters[name + operator] = str(value)
            case _:
                parameters[name] = str(value)
    return parameters, rows


def suits(row: dict, parameters: dict[str, str]) -> bool:
    for parameter, text in parameters.items():
        name, _, operator = parameter.partition("__")
        value = row[name]
        if operator == "isnull":
            if value is not None:
                return False
            continue
        if value is None:
            return False
        if operator == "in":
            if value not in next(csv.reader(io.StringIO(text, newline=""))):
                return False
            continue
        wanted: Any = type(value)(text) if isinstance(value, (int, float)) else text
        same: Any = value
        if isinstance(value, str):
            wanted, same = wanted.encode(), value.encode()
        if not {"": same == wanted, "gte": same >= wanted, "lt": same < wanted}[operator]:
            return False
    return True


def test_nobody_is_shown_more_or_less(closed: Closed, whole):
    """Random triples of role, roster and request, over layers, filters, sorts, pages and formats."""
    rng, seen = Random(15), {"rows": 0, "forbidden": 0, "hidden": 0}
    for _ in range(TRIPLES):
        person, view, layer = rng.choice(PERSONS), rng.choice(list(VIEWS)), rng.choice(("merged", "batch", "speed"))
        everything = whole[layer][view]
        mine = visible(person, view, everything)
        parameters, _ = asked(rng, view, everything, person)
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
