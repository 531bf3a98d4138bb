"""The signs of collectors that keep what they were sent: where, whom they have let go of, and that they live."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from catalogue.at_rest.alive import Sign
from runtime.storage.store import Store

FOLDER = "collectors/"
# How often a collector tells that it is alive, and after how long without a word it counts as gone.
ALIVE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class CollectorSign(Sign):
    """At the moment `at` the collector with its data in `folder` on `host` kept nothing of the people of the version
    `erased` of the tombstones.
    """

    LIFE_SECONDS: ClassVar[float] = 60.0

    host: str
    folder: str
    erased: str = ""

    @property
    def path(self) -> str:
        """Where it stands below COLLECTOR_SOURCES."""
        return f"{FOLDER}{hashlib.sha256(f'{self.host} {self.folder}'.encode()).hexdigest()[:16]}.json"


def read_collectors(sources: Store) -> list[CollectorSign]:
    """The newest sign of each collector that keeps something; Damaged where one can't be understood."""
    found = []
    for entry in sources.list(FOLDER):
        try:
            found.append(CollectorSign.read(sources, entry.path))
        except FileNotFoundError:
            continue
    return found
