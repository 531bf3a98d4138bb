"""Who is asking, from the headers of a request."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from runtime.addresses import is_loopback
from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.errors import Forbidden, NotServing, Unauthenticated
from serving_layer.identity.api_keys import PREFIX, ApiKey, key_of, list_keys, operator_key
from serving_layer.identity.login import Login
from serving_layer.identity.rates import Rates
from serving_layer.identity.roster import Roster, read_roster
from serving_layer.identity.sessions import Session, Sessions
from serving_layer.identity.tokens import Tokens
from serving_layer.identity.viewer import LOCAL, ROLES, Viewer

LOG = Log("serving")
LOOK_SECONDS = 5.0
# Tokens whose signature was checked, for so long at most.
MOST_TOKENS, TOKEN_SECONDS = 10_000, 60.0
# Of a session; where the address is https, browsers take it by that prefix from nobody but us.
COOKIE = "la_session"
SAFE = ("GET", "HEAD", "OPTIONS")
OURS = (None, "same-origin", "none")
MOST_HOSTS = 100


class Gate:
    """Lets in who has an API key, a token or the cookie of a login; on the local profile, everyone.

    Keys and roster are read again every LOOK_SECONDS, so that a revoked key is one within seconds. While the store is
    away, what was read last counts on.
    """

    def __init__(self, settings: Settings):
        self.profile = settings.authentication
        self.required = self.profile == "required"
        self.key = (settings.pseudonym_key or "").encode()
        self._store = open_store(settings.identity, settings)
        self._tokens = Tokens(settings.oidc_issuer, settings.oidc_audience) if settings.oidc_issuer else None
        self.login = Login(settings) if settings.oidc_issuer and self.required else None
        self.cookie = f"__Host-{COOKIE}" if self.login and self.login.secure else COOKIE
        self.sessions = Sessions(self._store, settings.session_seconds)
        self._claims = settings.oidc_role_claim, settings.oidc_person_claim
        own = [operator_key(settings.operator_key)] if settings.operator_key else []
        self._own = {key.id: key for key in own}
        self._rates = Rates(settings.rate_limit)
        self._keys: dict[str, ApiKey] = {}
        self._roster: Roster | None = None
        self._checked: OrderedDict[bytes, tuple[float, Viewer]] = OrderedDict()
        self._lock = threading.Lock()
        # Host headers that are known to name this machine.
        self._hosts = {"", urlsplit(settings.public_address or "").netloc}
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
        keys = {key.id: key for key in list_keys(self._store)} | self._own
        roster, _ = read_roster(self._store)
        self._keys, self._roster = keys, roster
        with self._lock:
            self._checked.clear()
        self.sessions.sweep()

    async def viewer(self, request: Request) -> Viewer:
        """Who asks. Unauthenticated where that can't be told, NotServing before keys and roster were read.

        TooMany where they ask too often; who can't be told, or is refused at the gate, is counted by address.
        """
        if not self.required:
            self._check_host(request.headers.get("host", ""))
            return LOCAL
        try:
            return await self._viewer(request)
        except (Unauthenticated, Forbidden):
            self.count_address(request)
            raise

    def _check_host(self, host: str) -> None:
        """Forbidden where a browser was led to this machine by a strange name: pages of that name would read on."""
        if host in self._hosts:
            return
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if not is_loopback(name) and not name.endswith(".localhost"):
            raise Forbidden("host", "'Host': must name this machine, as 127.0.0.1 and localhost do, or PUBLIC_ADDRESS")
        if len(self._hosts) < MOST_HOSTS:
            self._hosts.add(host)

    def count_address(self, request: Request) -> None:
        """Count a request that is nobody's; TooMany where there were too many from its address."""
        if self.required:
            self._rates.take(f"address {request.client.host if request.client else ''}")

    def _counted(self, viewer: Viewer) -> Viewer:
        self._rates.take(f"{viewer.role} {viewer.person} {viewer.credential if not viewer.person else ''}")
        return viewer

    async def _viewer(self, request: Request) -> Viewer:
        header = request.headers.get("authorization")
        if header is None and self.cookie in request.cookies:
            return self._counted(replace(self._with_roster((await self._session(request)).viewer), credential="login"))
        scheme, _, credential = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("an API key or a token must be sent, as in 'Authorization: Bearer …'")
        if self._roster is None:
            raise NotServing("keys and roster have not been read yet")
        if credential.startswith(PREFIX):
            key = key_of(credential, self._keys)
            if key is None:
                raise Unauthenticated("API key: must be one that isn't revoked or expired")
            return self._counted(self._with_roster(key.viewer))
        if self._tokens is None:
            raise Unauthenticated("API key: must begin with la_; tokens are not taken here")
        digest = hashlib.sha256(credential.encode()).digest()
        known = self._checked.get(digest)
        if known and time.time() < known[0]:
            return self._counted(known[1])
        claims = await run_in_threadpool(self._tokens.claims, credential)
        viewer = self._with_roster(self.viewer_of(claims))
        with self._lock:
            self._checked[digest] = min(float(claims["exp"]), time.time() + TOKEN_SECONDS), viewer
            while len(self._checked) > MOST_TOKENS:
                self._checked.popitem(last=False)
        return self._counted(viewer)

    def names_somebody(self, request: Request) -> bool:
        """Whether the request says at all who asks."""
        return not self.required or "authorization" in request.headers or self.cookie in request.cookies

    def session_at_hand(self, request: Request) -> Session | None:
        """The session by which `viewer` let this request in; None where it came in otherwise."""
        if not self.required or "authorization" in request.headers:
            return None
        return self.sessions.known(request.cookies.get(self.cookie, ""))[1]

    async def _session(self, request: Request) -> Session:
        """That of the cookie, where a page of ours sends it: browsers add it to what any page lets them ask."""
        cookie = request.cookies[self.cookie]
        known, session = self.sessions.known(cookie)
        if not known:
            session = await run_in_threadpool(self.sessions.read, cookie)
        if session is None:
            raise Unauthenticated("login: must not be over; log in again at /login")
        if self._roster is None:
            raise NotServing("keys and roster have not been read yet")
        site, mode = request.headers.get("sec-fetch-site"), request.headers.get("sec-fetch-mode")
        if site not in OURS and not (mode == "navigate" and request.method in SAFE):
            raise Forbidden("origin", "'origin': must be a page of this service")
        if request.method not in SAFE and not hmac.compare_digest(
            request.headers.get("x-csrf-token", "").encode(), session.csrf.encode()
        ):
            raise Forbidden("X-CSRF-Token", "'X-CSRF-Token': must be the csrf that /me tells")
        return session

    def viewer_of(self, claims: dict[str, Any]) -> Viewer:
        """Who a token is of: the first of ROLES that it names; courses and students too, where it names them."""
        role_claim, person_claim = self._claims
        named = _texts(_claim(claims, role_claim))
        role = next((role for role in ROLES if role in named), None)
        if role is None:
            raise Forbidden("role", f"'role': claim '{role_claim}' must be one of {', '.join(ROLES)}")
        person = _claim(claims, person_claim)
        courses, students = _texts(claims.get("courses")), _texts(claims.get("students"))
        who = person if isinstance(person, str) else ""
        return Viewer(role, who, courses, students, credential="token" if who else f"token {claims['sub']}")

    def _with_roster(self, viewer: Viewer) -> Viewer:
        roster, none = self._roster or Roster(), frozenset[str]()
        if not viewer.person:
            return viewer
        return replace(
            viewer,
            courses=_together(viewer.courses, roster.teaches.get(viewer.person, none)),
            students=_together(viewer.students, roster.advises.get(viewer.person, none)),
        )


def _together(claimed: frozenset[str], listed: frozenset[str]) -> frozenset[str]:
    """The union; where one is empty, the other itself: its hash is known, which counts with a thousand students."""
    return claimed | listed if claimed and listed else claimed or listed


def _claim(claims: dict[str, Any], name: str) -> object:
    """The claim of that name; dots lead into objects, as in `realm_access.roles`."""
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _texts(claim: object) -> frozenset[str]:
    values = claim if isinstance(claim, list) else [claim]
    return frozenset(value for value in values if isinstance(value, str) and value)
