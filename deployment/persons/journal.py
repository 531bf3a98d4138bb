"""What an erasure has done: its journal while it goes on, its certificate when it is done. Neither names anyone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from catalogue.at_rest.erasures import FOLDER, keyed_hash
from catalogue.at_rest.manifest import Manifest
from catalogue.at_rest.raw_persons import Found
from runtime.storage.store import Store
from runtime.timestamps import now


@dataclass(frozen=True, kw_only=True)
class Journal(Manifest):
    """`people` are keyed hashes, `version` is that of the tombstones with them. `objects` are the files that named
    them, by store and path. `run` is the run without them, `dropped_runs` were those with them. `collectors` keep
    nothing of them, in these folders.

    `remains` says which objects name them still, in places that no field declares, and how often. `kafka` says which
    offsets that hold them Kafka still has.
    """

    people: list[str]
    begun_at: str
    version: str = ""
    objects: dict[str, Found] = field(default_factory=dict)
    run: str = ""
    dropped_runs: list[str] = field(default_factory=list)
    collectors: list[str] = field(default_factory=list)
    roster_entries: int = 0
    keys_revoked: int = 0
    logins_ended: int = 0
    remains: dict[str, int] = field(default_factory=dict)
    objects_searched: int = 0
    kafka: list[dict[str, Any]] = field(default_factory=list)
    finished_at: str = ""

    @classmethod
    def begun(cls, raw: Store, key: str, people: Iterable[str]) -> Journal:
        """The journal of this erasure: of an attempt that was stopped, else a new one."""
        fresh = cls(people=sorted(keyed_hash(key, person) for person in people), begun_at=now())
        try:
            return cls.read(raw, fresh.path)
        except FileNotFoundError:
            return fresh

    @property
    def path(self) -> str:
        """Where it stands while the erasure goes on."""
        return f"{FOLDER}journal-{hashlib.sha256(' '.join(self.people).encode()).hexdigest()[:16]}.json"

    @property
    def certificate(self) -> str:
        """Where it stands afterwards."""
        moment = self.begun_at.translate(str.maketrans("", "", "-:."))
        return f"{FOLDER}certificates/{moment}-{self.path.rpartition('-')[2]}"

    @property
    def events(self) -> int:
        """How many raw events were erased."""
        return sum(found.lines for path, found in self.objects.items() if path.startswith("raw/"))

    def with_objects(self, found: dict[str, Found]) -> Journal:
        """The same with files that were found to name them; of one that was found before, the larger account counts."""
        objects = dict(self.objects)
        for path, account in found.items():
            if path not in objects or objects[path].lines < account.lines:
                objects[path] = account
        return replace(self, objects=objects)

    def written(self, raw: Store) -> Journal:
        """The same, noted."""
        raw.write(self.path, self.encoded())
        return self

    def finished(self, raw: Store) -> Journal:
        """The same as a certificate."""
        done = replace(self, finished_at=now())
        raw.write(done.certificate, done.encoded())
        raw.delete([self.path])
        return done
