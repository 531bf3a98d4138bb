"""A row of a source and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingestion_layer.replay.moments import Clock
from runtime.errors import PlatformError

Record = tuple[str, bytes, bytes]
# What reading a document raises whose members are something else than they should be.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError)


class Unmapped(PlatformError):
    """A row, or an event of it, that can't be; the message says why, without any value of the row."""


class ReplayError(PlatformError):
    """Data that can't be replayed; the message is one line for people."""


@dataclass(slots=True)
class Row:
    """One row: its content, its moment in microseconds since 1970, and the UUID that its content makes."""

    document: dict[str, Any]
    moment: int
    key: str


@dataclass
class Options:
    """What the user says of the data: zone of times without one, course of rows without one, role where none is
    told.
    """

    clock: Clock = field(default_factory=Clock)
    course: str | None = None
    role: str | None = None
    # Called with a reason for each optional value that is left out of an event.
    left_out: Callable[[str], None] = lambda reason: None
