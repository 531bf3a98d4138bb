"""Statements as they are asked for: whole, by their ids alone, or in one language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingestion_layer.collecting.xapi.actors import IDENTIFIERS

FORMATS = ("exact", "ids", "canonical")


def formatted(statement: dict[str, Any], form: str, languages: Sequence[str]) -> dict[str, Any]:
    """A statement in one of FORMATS."""
    if form == "ids":
        return _ids(statement)
    return _canonical(statement, languages) if form == "canonical" else statement


def _ids(statement: dict[str, Any]) -> dict[str, Any]:
    made = {**statement, "actor": _agent(statement["actor"]), "verb": {"id": statement["verb"]["id"]}}
    made["object"] = _target(statement["object"])
    if "authority" in statement:
        made["authority"] = _agent(statement["authority"])
    if "context" in statement:
        context = dict(statement["context"])
        for name in ("instructor", "team"):
            if name in context:
                context[name] = _agent(context[name])
        if "contextActivities" in context:
            lists = context["contextActivities"]
            context["contextActivities"] = {n: [{"id": a["id"]} for a in found] for n, found in lists.items()}
        made["context"] = context
    return made


def _target(value: dict[str, Any]) -> dict[str, Any]:
    kind = value.get("objectType", "Activity")
    if kind == "Activity":
        return {"id": value["id"]}
    if kind in ("Agent", "Group"):
        return _agent(value)
    return _ids(value) if kind == "SubStatement" else value


def _agent(value: dict[str, Any]) -> dict[str, Any]:
    known = {name: value[name] for name in ("objectType", *IDENTIFIERS) if name in value}
    if value.get("objectType") == "Group" and not any(name in value for name in IDENTIFIERS):
        known["member"] = [_agent(member) for member in value.get("member", ())]
    return known


def _canonical(value: Any, languages: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_canonical(one, languages) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _chosen(found, languages)
        if name in ("display", "name", "description") and isinstance(found, dict)
        else found
        if name == "extensions"
        else _canonical(found, languages)
        for name, found in value.items()
    }


def _chosen(texts: dict[str, str], languages: Sequence[str]) -> dict[str, str]:
    """The one text in the language that is wanted most, else the first."""
    for wanted in languages:
        near = [tag for tag in texts if tag.lower().partition("-")[0] == wanted.partition("-")[0]]
        for tag in sorted(near, key=lambda tag: tag.lower() != wanted):
            return {tag: texts[tag]}
    return dict(list(texts.items())[:1])


def languages_of(header: str) -> list[str]:
    """The languages of an Accept-Language header, the one that is wanted most first."""
    found = []
    for place, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            found.append((-float(weight.strip().removeprefix("q=") or 1), place, tag.strip().lower()))
        except ValueError:
            continue
    return [tag for weight, _, tag in sorted(found) if tag and weight]
