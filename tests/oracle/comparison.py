"""Are two tables the same answer? Exact but for doubles, which may differ by a few units in the last place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

TOLERANCE = 1e-12


def _place(row: dict) -> tuple:
    """Where a row stands when rows are sorted by everything that is exact."""
    exact = ((name, value.isoformat() if isinstance(value, datetime) else value) for name, value in row.items())
    return tuple((name, repr(value)) for name, value in exact if not isinstance(value, float))


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, float) and isinstance(got, float):
        return math.isclose(expected, got, rel_tol=TOLERANCE)
    return type(expected) is type(got) and expected == got


def differences(expected: Iterable[dict], got: Iterable[dict]) -> list[str]:
    """What distinguishes two lists of rows, in words; nothing when they are the same in some order."""
    left, right = sorted(expected, key=_place), sorted(got, key=_place)
    if len(left) != len(right):
        here, there = {_place(r) for r in left}, {_place(r) for r in right}
        lacking, surplus = list(here - there)[:3], list(there - here)[:3]
        return [f"must be {len(left)} rows; got {len(right)}; lacking {lacking}, surplus {surplus}"]
    found = []
    for want, have in zip(left, right, strict=True):
        if list(want) != list(have):
            found.append(f"columns must be {list(want)}; got {list(have)}")
        elif not all(_same(want[name], have[name]) for name in want):
            found.append(f"must be {want}; got {have}")
    return found
