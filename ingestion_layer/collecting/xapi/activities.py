"""Activities: what is one, with the definition of its interaction."""

from __future__ import annotations

from typing import Any

from ingestion_layer.collecting.xapi.values import (
    a_language_map,
    a_list,
    a_text,
    an_iri,
    an_object,
    extensions,
    wrong,
)

_ACTIVITY = frozenset(("objectType", "id", "definition"))
_LISTS = ("choices", "scale", "source", "target", "steps")
_DEFINITION = frozenset(
    ("name", "description", "type", "moreInfo", "extensions", "interactionType", "correctResponsesPattern", *_LISTS)
)
_COMPONENTS = {
    "choice": ("choices",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "matching": ("source", "target"),
    "performance": ("steps",),
}
INTERACTIONS = (*_COMPONENTS, "true-false", "fill-in", "long-fill-in", "numeric", "other")


def check_activity(value: Any, name: str) -> None:
    """400 for what is no activity."""
    an_object(value, name, _ACTIVITY)
    if value.get("objectType", "Activity") != "Activity":
        wrong(f"{name}.objectType", "Activity", value["objectType"])
    an_iri(value.get("id"), f"{name}.id")
    if "definition" in value:
        _check_definition(value["definition"], f"{name}.definition")


def _check_definition(value: Any, name: str) -> None:
    an_object(value, name, _DEFINITION)
    for field in ("name", "description"):
        if field in value:
            a_language_map(value[field], f"{name}.{field}")
    for field in ("type", "moreInfo"):
        if field in value:
            an_iri(value[field], f"{name}.{field}")
    if "extensions" in value:
        extensions(value["extensions"], f"{name}.extensions")
    kind = value.get("interactionType")
    if "interactionType" in value and kind not in INTERACTIONS:
        wrong(f"{name}.interactionType", f"one of {', '.join(INTERACTIONS)}", kind)
    own = [field for field in ("correctResponsesPattern", *_LISTS) if field in value]
    if own and kind is None:
        wrong(f"{name}.interactionType", f"there beside {own[0]}")
    if "correctResponsesPattern" in value:
        for answer in a_list(value["correctResponsesPattern"], f"{name}.correctResponsesPattern"):
            a_text(answer, f"{name}.correctResponsesPattern")
    for field in _LISTS:
        if field in value:
            if field not in _COMPONENTS.get(str(kind), ()):
                wrong(f"{name}.{field}", f"absent where interactionType is {kind}")
            _check_components(value[field], f"{name}.{field}")


def _check_components(value: Any, name: str) -> None:
    seen = set()
    for component in a_list(value, name):
        an_object(component, name, frozenset(("id", "description")))
        identifier = a_text(component.get("id"), f"{name}.id")
        if identifier in seen:
            wrong(f"{name}.id", "different from the others", identifier)
        seen.add(identifier)
        if "description" in component:
            a_language_map(component["description"], f"{name}.description")
