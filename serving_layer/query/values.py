"""Values as they are written in parameters and cursors, and as SQL has them."""

from __future__ import annotations

import datetime as dt
import re
from math import isinf
from typing import Any

from serving_layer.errors import BadQuery

LARGEST = 2**63 - 1
_DAY, _CLOCK = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?"
# How the values of a type are written; text may be anything.
_FORMS = {
    "BIGINT": re.compile(r"[+-]?\d{1,30}", re.ASCII),
    "DOUBLE": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "DATE": re.compile(_DAY, re.ASCII),
    "TIMESTAMP WITH TIME ZONE": re.compile(f"{_DAY}[T ]{_CLOCK}", re.ASCII),
}
_WANTED = {
    "DOUBLE": "a number",
    "DATE": "a day as in 2026-03-01",
    "TIMESTAMP WITH TIME ZONE": (
        "a time as in 2026-03-01T08:00:00Z, at most to the microsecond, in UTC from year 1 to 9999"
    ),
    "VARCHAR": "text",
}


def value_of(name: str, text: str, kind: str) -> Any:
    """The value of parameter `name` as SQL type `kind` has it; BadQuery where the text is none."""
    try:
        if kind in _FORMS and not _FORMS[kind].fullmatch(text):
            raise ValueError
        match kind:
            case "VARCHAR":
                text.encode()  # a cursor may hold half of a surrogate pair, which no column can
                return text
            case "DOUBLE":
                value = float(text)
                if isinf(value):
                    raise ValueError
                return value
            case "DATE":
                return dt.date.fromisoformat(text)
            case "TIMESTAMP WITH TIME ZONE":
                moment = dt.datetime.fromisoformat(text)
                return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
            case _:
                number = int(text)
                if not -LARGEST - 1 <= number <= LARGEST:
                    raise ValueError
                return number
    except (ValueError, OverflowError):
        wanted = _WANTED.get(kind, "a whole number of at most 64 bits")
        raise BadQuery(name, f"must be {wanted}; got '{text}'") from None


def reading_of(name: str, text: str, literal: str, kind: str) -> Any:
    """The value of a parameter that is no text: by the one of its two readings that is of SQL type `kind`."""
    if text != literal:
        try:
            return value_of(name, text, kind)
        except BadQuery:
            pass
    return value_of(name, literal, kind)


def text_of(value: Any) -> Any:
    """A value as JSON has it in a cursor."""
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value
