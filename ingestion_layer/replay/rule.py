"""The rows of the mapping tables: what a source says, and what becomes of it. Code and documentation read the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """What the source calls `names` becomes an event of type `becomes`, with what `make` finds; `note` says how."""

    names: tuple[str, ...]
    becomes: str
    make: Callable[..., Any]
    note: str = ""


def by_name(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The rule of each name."""
    return {name: rule for rule in rules for name in rule.names}
