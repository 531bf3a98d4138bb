"""Whom a document names, by the ids that events have, and what of it may be kept where some of them were erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from catalogue.at_rest.erasures import Erasures
from ingestion_layer.replay.identity import person
from ingestion_layer.replay.xapi_statement import user_of

_AGENT = frozenset(("mbox", "mbox_sha1sum", "openid", "account"))
_CALIPER = frozenset(("actor", "assignee", "member", "user"))
_EDX = frozenset(("username", "user_id", "student_id", "user"))
NO_NUMBERS: Mapping[str, str] = {}


def relieved(
    standard: str, document: dict[str, Any], gone: Erasures, numbers: Mapping[str, str] = NO_NUMBERS
) -> dict[str, Any] | None:
    """What of a document may be kept: all of it where it names nobody who was erased.

    Of an xAPI statement that names one of them beside others (as an instructor, as a member of a group) the rest; None
    of one that is theirs, and of every other document that names one. `numbers` are those that names are known to have.
    """
    if not gone.people:
        return document
    if standard == "xapi":
        made = _without(document, gone)
        return made if made is not None and _is_whole(made) else None
    found = set(_named(document, _EDX if standard == "edx" else _CALIPER))
    found |= {numbers[name] for name in found & numbers.keys()}
    return None if gone.among(found) else document


def _named(value: Any, members: frozenset[str], key: str = "") -> Iterator[str]:
    """The ids of people: what stands in one of `members`, and whatever is of type Person."""
    if isinstance(value, dict):
        if (key in members or value.get("type") == "Person") and (found := person(value.get("id"))):
            yield found
        for name, inner in value.items():
            yield from _named(inner, members, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, members, key)
    elif key in members and (found := person(value)):
        yield found
    elif key == "event" and isinstance(value, str) and value[:1] == "{":  # edX packs an event's body as a text
        try:
            yield from _named(orjson.loads(value), members)
        except ValueError:
            return


def _without(value: Any, gone: Erasures) -> Any:
    """A part of a statement without agents that were erased, the same object where it names none; None for one of them.

    A group that nothing is left of is none either.
    """
    if isinstance(value, dict):
        if value.keys() & _AGENT and gone.among((user_of(value),)):
            return None
        made = {name: inner for name, one in value.items() if (inner := _without(one, gone)) is not None or one is None}
        if value.get("member") and not made.get("member") and not value.keys() & _AGENT:
            return None
        return value if made.keys() == value.keys() and all(made[name] is value[name] for name in made) else made
    if isinstance(value, list):
        listed = [inner for one in value if (inner := _without(one, gone)) is not None or one is None]
        same = len(listed) == len(value) and all(a is b for a, b in zip(listed, value, strict=True))
        return value if same else listed
    return value


def _is_whole(statement: dict[str, Any]) -> bool:
    """Whether somebody still did something with something."""
    target = statement.get("object")
    if "actor" not in statement or not isinstance(target, dict):
        return False
    return target.get("objectType") != "SubStatement" or _is_whole(target)


def ids_of(agent: str) -> set[str]:
    """The ids that somebody may have who is known to documents by the text `agent` (see `actors.actor_key`)."""
    kind, _, text = agent.partition("=")
    if kind != "account":
        return {found for found in (user_of({kind: text}),) if found}
    places = [place for place, sign in enumerate(text) if sign == "|"]
    accounts = ({"account": {"homePage": text[:place], "name": text[place + 1 :]}} for place in places)
    return {found for one in accounts if (found := user_of(one))}
