"""API keys for programs: made, listed and revoked in the store, where only their hashes are."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from runtime.errors import PlatformError
from runtime.storage.store import Store
from runtime.words import without
from serving_layer.identity.viewer import ROLES, Viewer

FOLDER = "keys/"
PREFIX = "la_"


class BadKey(PlatformError):
    """A key that can't be made, or isn't there."""


@dataclass(frozen=True)
class ApiKey:
    """What the store knows of a key. `digest` is the SHA-256 of its secret, 256 random bits that nobody can guess.

    `person` is whom it stands for, where its role sees persons' rows; `scope` the views it may ask for, None for any.
    """

    id: str
    digest: str
    role: str
    person: str
    scope: list[str] | None
    created_at: str
    expires_at: str
    note: str = ""

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return dt.datetime.fromisoformat(self.expires_at) <= dt.datetime.now(dt.UTC)

    @property
    def viewer(self) -> Viewer:
        """Who asks by it; what the roster says of the person is added by the gate."""
        scope = None if self.scope is None else frozenset(self.scope)
        return Viewer(self.role, self.person, scope=scope, credential=f"key {self.id}")


def create_key(
    store: Store, role: str, days: int, person: str = "", scope: Iterable[str] | None = None, note: str = ""
) -> tuple[ApiKey, str]:
    """Make a key; what it is written like is given once, here, and kept nowhere. BadKey for what can't be."""
    if role not in ROLES:
        raise BadKey(f"key: role must be one of {', '.join(ROLES)}; got {role!r}")
    if role in ("lecturer", "adviser", "student") and not person:
        raise BadKey(f"key: person must be named for role {role}; got ''")
    if not 1 <= days <= 3660:
        raise BadKey(f"key: days must be from 1 to 3660; got {days}")
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    name, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    made = ApiKey(
        name,
        _digest(secret),
        role,
        person,
        None if scope is None else sorted(scope),
        now.isoformat(),
        (now + dt.timedelta(days=days)).isoformat(),
        note,
    )
    store.create(f"{FOLDER}{name}.json", json.dumps(asdict(made)).encode())
    return made, f"{PREFIX}{name}_{secret}"


def list_keys(store: Store) -> list[ApiKey]:
    """Every key that isn't revoked, the oldest first; one that isn't whole is left out, so nobody comes in by it."""
    found = []
    for entry in store.list(FOLDER):
        try:
            key = ApiKey(**json.loads(store.read(entry.path)))
            if key.role in ROLES and dt.datetime.fromisoformat(key.expires_at).tzinfo:
                found.append(key)
        except (FileNotFoundError, TypeError, ValueError):
            continue
    return sorted(found, key=lambda key: (key.created_at, key.id))


def revoke_key(store: Store, name: str) -> None:
    """Let a key open nothing any more; servers know within seconds. BadKey where there is none."""
    path = f"{FOLDER}{name}.json"
    if not name.isalnum() or store.etag(path) is None:
        raise BadKey(f"key: id must be that of a key; got {name!r}")
    store.delete([path])


def forget(store: Store, persons: Collection[str]) -> int:
    """Revoke the keys that stand for these persons, and leave their ids out of the notes of others; how many went."""
    gone = 0
    for key in list_keys(store):
        path = f"{FOLDER}{key.id}.json"
        if key.person in persons:
            store.delete([path])
            gone += 1
        elif (note := without(key.note, persons)) != key.note:
            store.write(path, json.dumps(asdict(replace(key, note=note))).encode())
    return gone


def key_of(text: str, keys: dict[str, ApiKey]) -> ApiKey | None:
    """The key that `text` is written like; None where there is none, or its time is over."""
    name, _, secret = text.removeprefix(PREFIX).partition("_")
    key = keys.get(name)
    # Compared even where there is none, so that the time doesn't tell which ids there are.
    same = hmac.compare_digest(_digest(secret), key.digest if key else _digest(""))
    return key if key and same and not key.expired else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def described(key: ApiKey) -> dict[str, Any]:
    """What may be told of a key."""
    return {name: value for name, value in asdict(key).items() if name != "digest"}


def operator_key(text: str) -> ApiKey:
    """The admin's key that stands in the settings, so that a new installation has one; it lasts while it is set."""
    name, _, secret = text.removeprefix(PREFIX).partition("_")
    return ApiKey(name, _digest(secret), "admin", "", None, "", "9999-12-31T00:00:00+00:00", "OPERATOR_KEY")
