"""Who teaches which course and who advises whom: one object in the store, with a version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runtime.errors import PlatformError
from runtime.storage.store import Store

ROSTER = "roster.json"
Links = Mapping[str, frozenset[str]]


class BadRoster(PlatformError):
    """A roster that can't be understood."""


@dataclass(frozen=True)
class Roster:
    """`teaches` courses by lecturer, `advises` students by adviser. Who isn't named teaches and advises nobody."""

    version: int = 0
    teaches: Links = field(default_factory=dict)
    advises: Links = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The roster as it is stored."""
        parts = {
            name: {person: sorted(values) for person, values in sorted(links.items())}
            for name, links in (("teaches", self.teaches), ("advises", self.advises))
        }
        return json.dumps({"version": self.version, **parts}, indent=1).encode()


def read_roster(store: Store) -> tuple[Roster, str | None]:
    """The roster and its tag; an empty one and None where there is none. BadRoster where it is damaged."""
    tag = store.etag(ROSTER)
    if tag is None:
        return Roster(), None
    try:
        found = json.loads(store.read(ROSTER))
        return Roster(int(found["version"]), _links(found["teaches"]), _links(found["advises"])), tag
    except FileNotFoundError:
        return Roster(), None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRoster(f"'{ROSTER}' in {store.uri}: must be a roster; {type(error).__name__}: {error}") from error


def _links(found: Mapping[str, Iterable[str]]) -> Links:
    made = {}
    for person, values in found.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"'{person}' must have a list of ids")
        made[person] = frozenset(values)
    return made


def write_roster(store: Store, teaches: Links, advises: Links) -> Roster:
    """Replace the roster by the next version. Conflict where somebody else does so at the same time."""
    known, tag = read_roster(store)
    fresh = Roster(known.version + 1, teaches, advises)
    store.swap(ROSTER, fresh.encoded(), tag)
    return fresh


def difference(known: Roster, teaches: Links, advises: Links) -> list[str]:
    """What would change, a line for each person whose courses or students do: `+` come, `-` go."""
    lines = []
    for what, old, new in (("teaches", known.teaches, teaches), ("advises", known.advises, advises)):
        for person in sorted(old.keys() | new.keys()):
            before, after = old.get(person, frozenset()), new.get(person, frozenset())
            changes = [f"+{value}" for value in sorted(after - before)] + [f"-{v}" for v in sorted(before - after)]
            if changes:
                lines.append(f"{person} {what} {' '.join(changes)}")
    return lines
