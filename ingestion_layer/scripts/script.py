"""What a script is, and the register of scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion_layer.simulation import Simulation

Script = Callable[["Simulation", int], "tuple[str, bytes, bytes] | None"]
SCRIPTS: dict[str, Script] = {}
SUPPLIED: dict[str, frozenset[str]] = {}
TRIES = 4


def script(name: str, *supplied: str) -> Callable[[Script], Script]:
    """Register the script of an event type and the fields that it supplies."""

    def register(function: Script) -> Script:
        SCRIPTS[name] = function
        SUPPLIED[name] = frozenset(supplied)
        return function

    return register
