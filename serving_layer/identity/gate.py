"""Who is asking, from the headers of a request."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.errors import Forbidden, NotServing, Unauthenticated
from serving_layer.identity.api_keys import PREFIX, ApiKey, key_of, list_keys
from serving_layer.identity.roster import Roster, read_roster
from serving_layer.identity.tokens import Tokens
from serving_layer.identity.viewer import LOCAL, ROLES, Viewer

LOG = Log("serving")
LOOK_SECONDS = 5.0
# Tokens whose signature was checked, for so long at most.
MOST_TOKENS, TOKEN_SECONDS = 10_000, 60.0


class Gate:
    """Lets in who has an API key or a token; on the local profile, everyone.

    Keys and roster are read again every LOOK_SECONDS, so that a revoked key is one within seconds. While the store is
    away, what was read last counts on.
    """

    def __init__(self, settings: Settings):
        self.profile = settings.authentication
        self.required = self.profile == "required"
        self.key = (settings.pseudonym_key or "").encode()
        self._store = open_store(settings.identity, settings)
        self._tokens = Tokens(settings.oidc_issuer, settings.oidc_audience) if settings.oidc_issuer else None
        self._claims = settings.oidc_role_claim, settings.oidc_person_claim
        self._keys: dict[str, ApiKey] = {}
        self._roster: Roster | None = None
        self._checked: OrderedDict[bytes, tuple[float, Viewer]] = OrderedDict()
        self._lock = threading.Lock()
        self._looking = Background("identity", LOG, self.look, LOOK_SECONDS)

    def start(self) -> None:
        """Begin to follow keys and roster."""
        if self.required:
            self._looking.start()

    def stop(self) -> None:
        """Stop following them."""
        self._looking.stop()

    def look(self) -> None:
        """Read keys and roster."""
        keys = {key.id: key for key in list_keys(self._store)}
        roster, _ = read_roster(self._store)
        self._keys, self._roster = keys, roster
        with self._lock:
            self._checked.clear()

    async def viewer(self, request: Request) -> Viewer:
        """Who asks. Unauthenticated where that can't be told, NotServing before keys and roster were read."""
        if not self.required:
            return LOCAL
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("an API key or a token must be sent, as in 'Authorization: Bearer …'")
        if self._roster is None:
            raise NotServing("keys and roster have not been read yet")
        if credential.startswith(PREFIX):
            key = key_of(credential, self._keys)
            if key is None:
                raise Unauthenticated("API key: must be one that isn't revoked or expired")
            return self._with_roster(key.viewer)
        if self._tokens is None:
            raise Unauthenticated("API key: must begin with la_; tokens are not taken here")
        digest = hashlib.sha256(credential.encode()).digest()
        known = self._checked.get(digest)
        if known and time.time() < known[0]:
            return known[1]
        claims = await run_in_threadpool(self._tokens.claims, credential)
        viewer = self._with_roster(self._of(claims))
        with self._lock:
            self._checked[digest] = min(float(claims["exp"]), time.time() + TOKEN_SECONDS), viewer
            while len(self._checked) > MOST_TOKENS:
                self._checked.popitem(last=False)
        return viewer

    def _of(self, claims: dict[str, Any]) -> Viewer:
        """Who a token is of: the first of ROLES that it names; courses and students too, where it names them."""
        role_claim, person_claim = self._claims
        named = _texts(_claim(claims, role_claim))
        role = next((role for role in ROLES if role in named), None)
        if role is None:
            raise Forbidden("role", f"'role': claim '{role_claim}' must be one of {', '.join(ROLES)}")
        person = _claim(claims, person_claim)
        courses, students = _texts(claims.get("courses")), _texts(claims.get("students"))
        return Viewer(role, person if isinstance(person, str) else "", courses, students)

    def _with_roster(self, viewer: Viewer) -> Viewer:
        roster, none = self._roster or Roster(), frozenset[str]()
        if not viewer.person:
            return viewer
        return replace(
            viewer,
            courses=viewer.courses | roster.teaches.get(viewer.person, none),
            students=viewer.students | roster.advises.get(viewer.person, none),
        )


def _claim(claims: dict[str, Any], name: str) -> object:
    """The claim of that name; dots lead into objects, as in `realm_access.roles`."""
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _texts(claim: object) -> frozenset[str]:
    values = claim if isinstance(claim, list) else [claim]
    return frozenset(value for value in values if isinstance(value, str) and value)
