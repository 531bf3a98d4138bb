"""Login of a browser at the OpenID Connect issuer: the authorisation code flow with PKCE."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import requests

from runtime.settings import Settings
from serving_layer.errors import NotServing, Unauthenticated
from serving_layer.identity.tokens import ASK_AGAIN_SECONDS, TIMEOUT_SECONDS, Tokens, fetched_json

# How long somebody may take at the issuer's page.
BEGUN_SECONDS = 600
TOLD_SECONDS = 600.0
AGAIN = "log in again at /login"


@dataclass(frozen=True)
class Begun:
    """A login that the issuer goes on with: where the browser goes, and what its cookie keeps until it comes back."""

    address: str
    cookie: str


class Login:
    """Logs browsers in as people whom the issuer names; `address` is ours as browsers reach it."""

    def __init__(self, settings: Settings):
        self.address = settings.public_address or f"http://127.0.0.1:{settings.serving_port}"
        self.address = self.address.rstrip("/")
        self.secure = self.address.startswith("https://")
        self.issuer = settings.oidc_issuer or ""
        self._client, self._secret = settings.oidc_client_id or settings.oidc_audience, settings.oidc_client_secret
        self._tokens = Tokens(self.issuer, self._client)
        self._told: dict[str, Any] = {}
        self._asked = self._failed = float("-inf")

    def begin(self, onward: str) -> Begun:
        """The issuer's page for somebody who goes on to our page `onward` afterwards."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": f"{self.address}/callback",
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = self._endpoint("authorization_endpoint")
        joint = "&" if "?" in page else "?"
        kept = json.dumps([state, nonce, verifier, own_page(onward)])
        return Begun(f"{page}{joint}{urlencode(asked)}", urlsafe_b64encode(kept.encode()).decode())

    def finish(self, cookie: str, state: str, code: str) -> tuple[dict[str, Any], str]:
        """What the issuer says of who comes back, and the page to go on to.

        Unauthenticated where this browser began no such login, or the issuer's answer isn't for it.
        """
        try:
            begun, nonce, verifier, onward = map(str, json.loads(urlsafe_b64decode(cookie)))
        except ValueError:
            begun = ""
        if not begun or not hmac.compare_digest(begun.encode(), state.encode()):
            raise Unauthenticated(f"login: must be one that this browser began; {AGAIN}")
        claims = self._tokens.claims(self._exchanged(code, verifier))
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise Unauthenticated(f"login: the issuer's answer must be for this login; {AGAIN}")
        if claims.get("azp", self._client) != self._client:
            raise Unauthenticated("login: the issuer's answer must be for this service")
        return claims, own_page(onward)

    def _exchanged(self, code: str, verifier: str) -> str:
        """The identity token for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.address}/callback",
            "client_id": self._client,
            "code_verifier": verifier,
        }
        who = (quote_plus(self._client), quote_plus(self._secret)) if self._secret else None
        place = self._endpoint("token_endpoint")
        try:
            answer = requests.post(place, data=form, auth=who, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            told = answer.json()
            token = told["id_token"] if answer.status_code == 200 else None
        except (requests.RequestException, KeyError, TypeError, ValueError):
            token = None
        if not isinstance(token, str):
            raise Unauthenticated(f"login: the issuer must give a token for its code; {AGAIN}")
        return token

    def _endpoint(self, name: str) -> str:
        if time.monotonic() > max(self._asked + TOLD_SECONDS, self._failed + ASK_AGAIN_SECONDS):
            try:
                told = fetched_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if told.get("issuer") != self.issuer:
                    raise ValueError("another issuer")
                self._told, self._asked = told, time.monotonic()
            except (requests.RequestException, AttributeError, ValueError):
                self._failed = time.monotonic()  # whoever logs in meanwhile waits for nothing
        if not self._told:
            raise NotServing("the issuer of logins must answer")
        place = self._told.get(name)
        if not isinstance(place, str):
            raise NotServing(f"the issuer of logins must name its {name}")
        return place


def own_page(onward: str) -> str:
    """`onward` where it is a path of ours; else the first page, so that no link leads through us to a strange place."""
    parts = urlsplit(onward) if onward.isprintable() and "\\" not in onward else None
    if parts is None or parts.scheme or parts.netloc or not onward.startswith("/") or onward.startswith("//"):
        return "/"
    return onward
