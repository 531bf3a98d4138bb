"""Signs of life that processes leave beside what they keep, and from when on their absence counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import ClassVar, Self

from catalogue.at_rest.manifest import Damaged, Manifest
from runtime.storage.store import Store

ALIVE = "_alive.json"
# How often a speed layer tells that it is alive, and after how long without a word it counts as gone.
ALIVE_SECONDS = 2.0
GONE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Sign(Manifest):
    """At the moment `at` a process lived."""

    LIFE_SECONDS: ClassVar[float] = GONE_SECONDS

    at: str

    @classmethod
    def decoded(cls, where: str, data: bytes) -> Self:
        """The sign in `data`; Damaged, naming `where` it stands, for anything else."""
        found = super().decoded(where, data)
        try:
            zone = dt.datetime.fromisoformat(found.at).tzinfo
        except ValueError:
            zone = None
        if zone is None:
            raise Damaged(f"{where}: field at must be a time with its zone; got {found.at[:40]!r}")
        return found

    @property
    def gone(self) -> bool:
        """Whether so much time has passed since that the process counts as gone."""
        return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(self.at)).total_seconds() >= self.LIFE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Alive(Sign):
    """At the moment `at` the deltas reached `head` and Kafka ended at `kafka`: exclusive, by topic and partition."""

    head: dict[str, dict[str, int]] = field(default_factory=dict)
    kafka: dict[str, dict[str, int]] = field(default_factory=dict)


def read_alive(speed: Store) -> Alive | None:
    """The newest sign of life; None where a speed layer never ran. Damaged where it can't be understood."""
    try:
        return Alive.read(speed, ALIVE)
    except FileNotFoundError:
        return None
