"""What a script is, the register of scripts, and what must be right about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from catalogue.events import COMMON, EVENT_TYPES
from ingestion_layer.world import Record, World
from runtime.errors import PlatformError

Script = Callable[[World, int], Record | None]
SCRIPTS: dict[str, Script] = {}
SUPPLIED: dict[str, frozenset[str]] = {}
TRIES = 4
_TWICE: list[str] = []


class ScriptError(PlatformError):
    """Scripts that don't fit the catalogue; the message has a line for each fault."""


def script(name: str, *supplied: str) -> Callable[[Script], Script]:
    """Register the script of an event type and the fields that it supplies."""

    def register(function: Script) -> Script:
        if name in SCRIPTS:
            _TWICE.append(f"script {name!r}: must be registered once; got {function.__name__} after another")
        SCRIPTS[name] = function
        SUPPLIED[name] = frozenset(supplied)
        return function

    return register


def judge(supplied: Mapping[str, frozenset[str]], named: Mapping[str, Iterable[str]]) -> None:
    """Raise ScriptError with every fault: a script, or a type `named` somewhere, that the catalogue doesn't know,
    and a supplied field that its event type doesn't have.
    """
    faults = list(_TWICE)
    for name, fields in supplied.items():
        if name not in EVENT_TYPES:
            faults.append(f"script {name!r}: must be of an event type of the catalogue; {_nearest(name, EVENT_TYPES)}")
            continue
        known = {field.name for field in (*COMMON, *EVENT_TYPES[name].fields)}
        for field in sorted(fields - known):
            faults.append(f"script {name!r}: supplied field must be one of the type's; {_nearest(field, known)}")
    for place, names in named.items():
        for name in names:
            if name not in EVENT_TYPES:
                faults.append(
                    f"scripts' {place}: must name event types of the catalogue; {_nearest(name, EVENT_TYPES)}"
                )
    if faults:
        raise ScriptError("\n".join(faults))


def _nearest(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), 1, 0.0)
    return f"got {name!r}, nearest is {found[0]!r}" if found else f"got {name!r}"
