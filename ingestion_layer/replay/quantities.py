"""Numbers of a source: finite ones, and rounded half up."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from ingestion_layer.replay.row import Unmapped

_DURATION = re.compile(
    r"P(?:([\d.,]+)Y)?(?:([\d.,]+)M)?(?:([\d.,]+)W)?(?:([\d.,]+)D)?(?:T(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?"
)
# A year and a month have no fixed length: ISO 8601's usual ones.
_SECONDS = (31_536_000, 2_592_000, 604_800, 86_400, 3600, 60, 1)
# No video and no score is beyond it, and doubles still tell whole numbers apart.
LARGEST = 2.0**53
_CENT = Decimal("0.01")


def number(value: Any) -> float:
    """A finite number, given as one or as its text; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no number")
    found = float(value)
    if not -LARGEST <= found <= LARGEST:  # neither is NaN
        raise ValueError("no finite number")
    return found


def position(value: Any) -> float:
    """A place in a video in seconds; before its beginning is at it. Unmapped where it is none."""
    try:
        return max(0.0, duration(value) if isinstance(value, str) and value[:1] in "PT" else number(value))
    except ValueError:
        raise Unmapped("its position is no number") from None


def duration(text: str) -> float:
    """Seconds of an ISO 8601 duration; ValueError where it is none."""
    found = _DURATION.fullmatch(text if text[:1] == "P" else f"P{text}")
    if not found or not any(found.groups()) or text.endswith("T"):
        raise ValueError("no duration")
    return number(
        sum(float((part or "0").replace(",", ".")) * size for part, size in zip(found.groups(), _SECONDS, strict=True))
    )


def whole(value: float) -> int:
    """Rounded half up."""
    return math.floor(value + 0.5)


def points(given: Any, most: Any, places: int = 2) -> float:
    """`given` of `most` as points of a hundred, rounded half up to `places`; Unmapped where it is no such score."""
    try:
        number(given), number(most)
        share = Decimal(str(given).strip()) * 100 / Decimal(str(most).strip())
        found = share.quantize(_CENT if places else Decimal(1), ROUND_HALF_UP)
    except (ValueError, InvalidOperation, ArithmeticError):
        raise Unmapped("its score is no number of points") from None
    if not 0 <= share <= 100:
        raise Unmapped("its score is not from 0 to the most")
    return float(found)
