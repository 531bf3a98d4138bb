"""The sign of life that a speed layer leaves beside its deltas, and from when on its absence counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Self

from catalogue.at_rest.manifest import Damaged, Manifest
from runtime.storage.store import Store

ALIVE = "_alive.json"
# How often a speed layer tells that it is alive, and after how long without a word it counts as gone.
ALIVE_SECONDS = 2.0
GONE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Alive(Manifest):
    """At the moment `at` the deltas reached `head` and Kafka ended at `kafka`: exclusive, by topic and partition."""

    at: str
    head: dict[str, dict[str, int]] = field(default_factory=dict)
    kafka: dict[str, dict[str, int]] = field(default_factory=dict)

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
        """Whether so much time has passed since that the speed layer counts as gone."""
        return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(self.at)).total_seconds() >= GONE_SECONDS


def read_alive(speed: Store) -> Alive | None:
    """The newest sign of life; None where a speed layer never ran. Damaged where it can't be understood."""
    try:
        return Alive.read(speed, ALIVE)
    except FileNotFoundError:
        return None
