"""Somebody who asks."""

from __future__ import annotations

from dataclasses import dataclass

# From the one who sees most to the one who sees least: of several roles, the first counts.
ROLES = ("admin", "service", "analyst", "lecturer", "adviser", "student")


@dataclass(frozen=True)
class Viewer:
    """Who asks: a role, the id that events know the person by, the courses they teach and the students they advise.

    `scope` names the views and windows that they may ask for at all; None: any. `credential` says by what they came in.
    """

    role: str
    person: str = ""
    courses: frozenset[str] = frozenset()
    students: frozenset[str] = frozenset()
    scope: frozenset[str] | None = None
    credential: str = ""


# Whoever reaches a server of the local profile.
LOCAL = Viewer("admin", "local")
