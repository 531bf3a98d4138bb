"""Sessions of people who logged in by a browser: in the store, so that each replica knows them and a logout ends them.

The store has only the hash of what the cookie holds, 256 random bits, in a file whose name says when it ends.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from runtime.storage.store import Store
from serving_layer.identity.viewer import ROLES, Viewer

FOLDER = "sessions/"
# A session is looked up again after so long: another replica's logout counts by then.
KNOWN_SECONDS = 10.0
MOST_KNOWN = 10_000


@dataclass(frozen=True)
class Session:
    """Somebody who logged in: what the issuer says of them, until `expires_at` (Unix seconds)."""

    cookie: str
    viewer: Viewer
    expires_at: int

    @property
    def csrf(self) -> str:
        """What a page of ours sends with what changes something; no other page can know it."""
        return hashlib.sha256(f"csrf {self.cookie}".encode()).hexdigest()[:32]


class Sessions:
    """Those in `store`, for `seconds` each."""

    def __init__(self, store: Store, seconds: int):
        self._store, self._seconds = store, seconds
        self._known: OrderedDict[str, tuple[float, Session | None]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, viewer: Viewer) -> Session:
        """A new session of somebody whom the issuer has named."""
        expires = int(time.time()) + self._seconds
        session = Session(f"{expires}.{secrets.token_urlsafe(32)}", viewer, expires)
        told = {"role": viewer.role, "person": viewer.person}
        told |= {"courses": sorted(viewer.courses), "students": sorted(viewer.students)}  # type: ignore[dict-item]
        self._store.create(_path(session.cookie), json.dumps(told).encode())
        self._keep(session.cookie, session)
        return session

    def known(self, cookie: str) -> tuple[bool, Session | None]:
        """Whether the store need not be asked about this cookie just now, and its session if it has one."""
        found = self._known.get(cookie)
        if not found or time.monotonic() > found[0]:
            return False, None
        session = found[1]
        return True, session if session and time.time() < session.expires_at else None

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie as the store has it; None where there is none, or its time is over."""
        session, (expires, _, secret) = None, cookie.partition(".")
        if secret and len(cookie) < 100 and expires.isascii() and expires.isdigit() and int(expires) > time.time():
            try:
                told = json.loads(self._store.read(_path(cookie)))
                viewer = Viewer(told["role"], told["person"], frozenset(told["courses"]), frozenset(told["students"]))
                session = Session(cookie, viewer, int(expires)) if viewer.role in ROLES else None
            except (FileNotFoundError, KeyError, TypeError, ValueError):
                session = None
        self._keep(cookie, session)
        return session

    def end(self, session: Session) -> None:
        """Let its cookie open nothing any more; other replicas know within KNOWN_SECONDS."""
        self._store.delete([_path(session.cookie)])
        self._keep(session.cookie, None)

    def sweep(self) -> None:
        """Remove the sessions whose time is over."""
        now = time.time()
        names = [entry.path for entry in self._store.list(FOLDER)]
        old = [name for name in names if (end := name[len(FOLDER) :].split("-")[0]).isdigit() and int(end) < now]
        if old:
            self._store.delete(old)

    def _keep(self, cookie: str, session: Session | None) -> None:
        with self._lock:
            self._known[cookie] = time.monotonic() + KNOWN_SECONDS, session
            self._known.move_to_end(cookie)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def naming(store: Store, persons: Collection[str]) -> dict[str, dict[str, Any]]:
    """What is told of the sessions that name one of these persons, by path: theirs, and those of who advises them."""
    found = {}
    for entry in store.list(FOLDER):
        try:
            told = json.loads(store.read(entry.path))
            if not {told["person"], *told["students"]}.isdisjoint(persons):
                found[entry.path] = told
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            continue  # over, or none by which anybody comes in
    return found


def _path(cookie: str) -> str:
    expires, _, secret = cookie.partition(".")
    return f"{FOLDER}{expires}-{hashlib.sha256(secret.encode()).hexdigest()}.json"
