"""Who sees which rows of a table, as PostgreSQL's row security: what the query API shows each role, in SQL.

The rules are asked of `identity.sight`, not told again. PostgreSQL can't make pseudonyms from a key that it doesn't
have, and hides no small groups: where the API does one of these, a role sees nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogue.views.disclosure import disclosure
from catalogue.views.view import View
from serving_layer.errors import Forbidden
from serving_layer.identity.sight import WHOLE, Sight, sight_of
from serving_layer.identity.viewer import ROLES, Viewer

POLICY = "by_role"
# What somebody is asked for in the rules' place, and the function of the schema that says it of who has logged in.
_PERSON, _COURSE, _STUDENT = "a person", "a course", "a student"
_OWN = {
    _PERSON: "ARRAY[(SELECT {schema}.viewer_person())]",
    _COURSE: "(SELECT {schema}.viewer_courses())::text[]",
    _STUDENT: "(SELECT {schema}.viewer_students())::text[]",
}


def condition(view: View, schema: str) -> str:
    """The condition that a row must satisfy to be seen by who has logged in."""
    return " OR ".join(_parts(view, schema)) or "false"


def _parts(view: View, schema: str) -> Iterator[str]:
    role_is = f"(SELECT {schema}.viewer_role())"
    sights = {role: sight for role in ROLES if (sight := _sight(role, view))}
    everything = [role for role, sight in sights.items() if sight == WHOLE]
    if everything:
        roles = ", ".join(f"'{role}'" for role in everything)
        yield f"{role_is} IN ({roles})"
    for role, sight in sights.items():
        if sight.column and not sight.people and not sight.pseudonym:
            (asked,) = sight.values
            yield f"({role_is} = '{role}' AND \"{sight.column}\" = ANY ({_OWN[asked].format(schema=schema)}))"


def _sight(role: str, view: View) -> Sight | None:
    viewer = Viewer(role, _PERSON, frozenset((_COURSE,)), frozenset((_STUDENT,)))
    try:
        return sight_of(viewer, view.name, disclosure(view), b"key")
    except Forbidden:
        return None


def functions(schema: str) -> list[str]:
    """What the conditions ask. It is told of who has logged in, whatever role they have set since."""
    mine = f"FROM {schema}.viewers WHERE login = session_user"
    bodies = {
        "viewer_role() RETURNS text": f"SELECT role {mine}",
        "viewer_person() RETURNS text": f"SELECT nullif(person, '') {mine}",
        **{
            f"viewer_{what}s() RETURNS text[]": (
                f"SELECT coalesce(array_agg({what}), '{{}}') FROM {schema}.{table} "
                f"WHERE person = (SELECT nullif(person, '') {mine})"
            )
            for table, what in (("teaches", "course"), ("advises", "student"))
        },
    }
    said = "LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
    return [f"CREATE OR REPLACE FUNCTION {schema}.{head} {said} AS $${body}$$" for head, body in bodies.items()]
