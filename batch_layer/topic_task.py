"""One topic's part of a batch run as values: what is to be done, and what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from catalogue.at_rest.erasures import NOBODY, Erasures
from catalogue.at_rest.ledger import Entries
from catalogue.at_rest.runs import ViewFiles, state_folder
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.fingerprint import fingerprint
from catalogue.views.rollups import Rollup
from catalogue.views.view import View
from runtime.errors import PlatformError
from runtime.storage.store import Store


class BatchError(PlatformError):
    """A topic or view that could not be computed, named, with its cause."""


@dataclass(frozen=True)
class TopicTask:
    """One topic's task: `base` is the published run to go on from, None to recompute from raw.

    It is also recomputed where the input isn't the one that the base had read, or the catalogue has changed since.

    `limit` is where to cut (exclusive, by partition); None takes everything that is there.

    `erased` says whose events don't count, `floor` from which offsets on raw files hold events.

    `memory` is what DuckDB takes before it spills to disk, as in 1500MB; None leaves that to DuckDB.
    """

    topic: str
    run: str
    base: str | None
    raw: Store
    output: Store
    horizon_days: int
    limit: dict[str, int] | None = None
    memory: str | None = None
    erased: Erasures = NOBODY
    floor: dict[str, int] = field(default_factory=dict)

    @property
    def rollups(self) -> tuple[Rollup, ...]:
        """What is kept of the topic."""
        return tuple(r for r in ROLLUPS.values() if r.topic == self.topic)

    @property
    def views(self) -> tuple[View, ...]:
        """What is published of the topic."""
        return tuple(v for v in VIEWS.values() if v.topic == self.topic)

    @property
    def rules(self) -> str:
        """What a state must have been made by to be gone on from."""
        return fingerprint(self.rollups, self.horizon_days, self.erased.version)

    def inputs(self, run: str) -> str:
        """Where a run says what it had read of the topic, and by which rules."""
        return f"{state_folder(self.topic, run)}/inputs.json"


@dataclass
class TopicResult:
    """What a topic's part of a run covers and wrote; `cut` (exclusive) and `ledger` are by partition.

    `base` is the run whose state it went on from, None where it read everything. `erased` is the version of who was
    erased that it was made by, `begins` the first offsets that it could read, where it read everything.
    """

    topic: str
    run: str
    base: str | None = None
    cut: dict[str, int] = field(default_factory=dict)
    ledger: Entries = field(default_factory=dict)
    views: dict[str, ViewFiles] = field(default_factory=dict)
    events: int = 0
    unreadable_lines: int = 0
    seconds: float = 0.0
    erased: str = ""
    begins: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The result as it is staged."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of_json(cls, text: bytes) -> TopicResult:
        """The result that was staged as `text`."""
        found = json.loads(text)
        return cls(**{**found, "views": {name: ViewFiles(**view) for name, view in found["views"].items()}})
