"""Sources: who may send, by which standard and key, and what holds for their events.

All of them are one object in a store, replaced as a whole if nobody else has replaced it meanwhile; of keys it holds
hashes only.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalogue.at_rest.senders import PATH
from ingestion_layer.replay import Options
from runtime.errors import PlatformError
from runtime.storage.store import Store

PREFIX = "lc_"
STANDARDS = ("events", "xapi", "caliper", "edx", "canvas")
ROLES = ("student", "teacher", "admin")
MOST_BYTES = 16 * 2**20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+|\*")


class BadSource(PlatformError):
    """A source that can't be declared, or isn't there."""


@dataclass(frozen=True)
class Source:
    """A sender. `digest` is the SHA-256 of its key, 256 random bits that nobody can guess.

    `course` and `role` are of events that tell none; `origins` are the pages whose scripts may send (CORS), "*" for
    any; `rate` is the most events per second, 0 for any number; `bytes` the most of a body.
    """

    name: str
    standard: str
    digest: str = ""
    course: str | None = None
    role: str | None = None
    origins: tuple[str, ...] = ()
    rate: float = 0.0
    bytes: int = MOST_BYTES

    def options(self) -> Options:
        """What its events lack and it says."""
        return Options(course=self.course, role=self.role)

    def described(self) -> dict[str, Any]:
        """What may be told of it."""
        return {name: value for name, value in asdict(self).items() if name != "digest"}


@dataclass(frozen=True)
class Sources:
    """Every source by its name, and by the digest of its key; `version` grows with each change."""

    version: int
    by_name: Mapping[str, Source]
    by_digest: Mapping[str, Source]

    @classmethod
    def of(cls, version: int, sources: Mapping[str, Source]) -> Sources:
        """These sources."""
        return cls(version, sources, {source.digest: source for source in sources.values() if source.digest})


NONE = Sources.of(0, {})


def read_sources(store: Store) -> tuple[Sources, str | None]:
    """The sources and the tag of their object, None where there is none. BadSource where it is damaged."""
    etag = store.etag(PATH)
    if etag is None:
        return NONE, None
    try:
        told = json.loads(store.read(PATH))
        sources = {one["name"]: Source(**{**one, "origins": tuple(one["origins"])}) for one in told["sources"]}
        return Sources.of(int(told["version"]), sources), etag
    except FileNotFoundError:
        return NONE, None
    except (KeyError, TypeError, ValueError) as error:
        raise BadSource(f"sources: {PATH} must be whole; got {type(error).__name__}: {error}") from error


def add_source(store: Store, source: Source) -> str:
    """Declare a source, or replace the one of its name and its key; the key, which is told here and never again."""
    _check(source)
    key = PREFIX + secrets.token_urlsafe(32)
    _write(store, lambda known: {**known, source.name: replace(source, digest=digest_of(key))})
    return key


def remove_source(store: Store, name: str) -> None:
    """Let a source send no more. BadSource where there is none of that name."""

    def without(known: dict[str, Source]) -> dict[str, Source]:
        if name not in known:
            raise BadSource(f"source: name must be one that is declared; got {name!r}")
        return {other: source for other, source in known.items() if other != name}

    _write(store, without)


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _write(store: Store, change: Any) -> None:
    """Replace the object by a changed one; Conflict where another command did so meanwhile."""
    sources, etag = read_sources(store)
    changed = change(dict(sources.by_name))
    told = {"version": sources.version + 1, "sources": [asdict(source) for source in changed.values()]}
    store.swap(PATH, json.dumps(told, indent=1).encode(), etag)


def _check(source: Source) -> None:
    if not _NAME.fullmatch(source.name):
        raise BadSource(f"source: name must be of small letters, digits, - and _; got {source.name!r}")
    if source.standard not in STANDARDS:
        raise BadSource(f"source: standard must be one of {', '.join(STANDARDS)}; got {source.standard!r}")
    if source.role is not None and source.role not in ROLES:
        raise BadSource(f"source: role must be one of {', '.join(ROLES)}; got {source.role!r}")
    if source.course is not None and not 0 < len(source.course) <= 128:
        raise BadSource(f"source: course must have from 1 to 128 characters; got {len(source.course)}")
    for origin in source.origins:
        if not _ORIGIN.fullmatch(origin):
            raise BadSource(f"source: origin must be as https://lms.example.org, or *; got {origin!r}")
    if not 0 <= source.rate < float("inf"):
        raise BadSource(f"source: rate must be 0 or more events per second; got {source.rate}")
    if not 1 <= source.bytes <= MOST_BYTES:
        raise BadSource(f"source: bytes must be from 1 to {MOST_BYTES}; got {source.bytes}")
