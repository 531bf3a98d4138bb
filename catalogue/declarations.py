"""What is said of declarations that don't fit: events, rollups and views are judged where they are made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from runtime.errors import PlatformError

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


class DeclarationError(PlatformError):
    """Declarations that contradict each other or themselves: every fault that there is, one a line."""

    def __init__(self, faults: Iterable[str]):
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def refuse(faults: Iterable[str]) -> None:
    """Raise DeclarationError with all the faults; nothing where there are none."""
    found = tuple(faults)
    if found:
        raise DeclarationError(found)


def repeated(names: Iterable[str]) -> list[str]:
    """The names that stand more than once, in order."""
    return [name for name, times in Counter(names).items() if times > 1]


def listed(names: Iterable[str]) -> str:
    """Names as errors tell them."""
    return ", ".join(f"'{name}'" for name in names) or "nothing"
