"""What a viewer sees of a view: a relation that lacks everything else, so that no query over it can tell of it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from catalogue.views.disclosure import Disclosure
from serving_layer.errors import Forbidden
from serving_layer.identity.viewer import Viewer

# A group of fewer people is not shown to who may not see its members.
SMALLEST_GROUP = 5
PSEUDONYM_LENGTH = 24
_BLOCK = 64


@dataclass(frozen=True)
class Sight:
    """Rows whose `column` has one of `values`, or whose count of `people` is large enough; all where neither is named.

    With a `key`, the persons in column `pseudonym` go by names that only the key can make. `own`: it is who asks.
    """

    column: str = ""
    values: frozenset[str] = frozenset()
    people: str = ""
    pseudonym: str = ""
    key: bytes = b""
    own: bool = False

    @property
    def mark(self) -> str:
        """Tells sights apart, for tags; empty where everything is seen. The key can't be told from it."""
        return "" if self == WHOLE else _mark(self)

    def of(self, cursor: duckdb.DuckDBPyConnection, relation: str) -> str:
        """What is seen of `relation`, as SQL for `cursor`, whose variables hold the values and the key."""
        if self.column:
            cursor.execute("SET VARIABLE seen = ?", [sorted(self.values)])
            relation = f"(FROM {relation} WHERE \"{self.column}\" IN (SELECT unnest(getvariable('seen'))))"
        if self.people:
            relation = f'(FROM {relation} WHERE "{self.people}" >= {SMALLEST_GROUP})'
        if self.pseudonym:
            for name, pad in (("inner_key", 0x36), ("outer_key", 0x5C)):
                padded = bytes(byte ^ pad for byte in self.key.ljust(_BLOCK, b"\0"))
                cursor.execute(f"SET VARIABLE {name} = ?", [padded])
            inner = f"sha256(getvariable('inner_key') || encode(\"{self.pseudonym}\"))"
            name = f"left(sha256(getvariable('outer_key') || unhex({inner})), {PSEUDONYM_LENGTH})"
            relation = f'(SELECT * REPLACE ({name} AS "{self.pseudonym}") FROM {relation})'
        return relation

    def looked_up(self, column: str, value: Any) -> Any:
        """Where rows of `value` in `column` are looked for: at somebody whom one sees, where one doesn't see them.

        Whether they are at hand, and how many there are, would be told by how long it takes to leave them out.
        """
        return next(iter(self.values)) if self.column == column and value not in self.values else value

    def rows(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is seen of rows of one person, where no pseudonyms are made."""
        if not self.column:
            return found
        return [row for row in found if row[self.column] in self.values]


WHOLE = Sight()


@lru_cache(maxsize=256)
def _mark(sight: Sight) -> str:
    """Kept, as an adviser's is made of every student's name."""
    parts = (sight.column, sorted(sight.values), sight.people, sight.pseudonym, pseudonym_of("", sight.key))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def forget_marks() -> None:
    """Let go of the names that marks were made of."""
    _mark.cache_clear()


def pseudonym_of(person: str, key: bytes) -> str:
    """The name that a person goes by: the same wherever the key is, and made by nobody without it (HMAC-SHA-256)."""
    return hmac.new(key, person.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]


def sight_of(viewer: Viewer, name: str, rule: Disclosure, key: bytes = b"") -> Sight:
    """What the viewer sees of view or window `name`. Forbidden where that is nothing."""
    if viewer.scope is not None and name not in viewer.scope:
        raise Forbidden(name, f"'{name}' must be in the scope of who asks")
    match viewer.role:
        case "admin" | "service":
            return WHOLE
        case "analyst" if not rule.person:
            return WHOLE
        case "analyst":
            if not key:
                raise Forbidden(name, f"'{name}' has rows of persons; analysts need PSEUDONYM_KEY to be set")
            return Sight(pseudonym=rule.person, key=key)
    if rule.person or rule.course:
        column, values = "", frozenset[str]()
        if viewer.role == "lecturer":
            column, values = rule.course, viewer.courses
        elif viewer.role == "adviser":
            column, values = rule.person, viewer.students
        elif viewer.role == "student" and viewer.person:
            column, values = rule.person, frozenset((viewer.person,))
        if column and values:
            return Sight(column, values, own=viewer.role == "student")
    elif rule.people and viewer.role in ("lecturer", "adviser", "student"):
        return Sight(people=rule.people)
    raise Forbidden(name, f"'{name}' has nothing that the role of who asks may see")
