"""Bearer tokens of an OpenID Connect issuer: JWTs, checked against the issuer's keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import requests

from serving_layer.errors import Unauthenticated

# Signatures by a pair of keys only: with a shared secret, who can check a token could make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
REQUIRED = ("exp", "iss", "aud", "sub")
LEEWAY_SECONDS = 30
TIMEOUT_SECONDS = 5
KEYS_SECONDS = 600.0
# A token may name a key that isn't known yet; whoever sends such tokens makes nobody ask the issuer more often.
ASK_AGAIN_SECONDS = 10.0


def fetched_json(url: str) -> dict[str, Any]:
    """A JSON object of the issuer."""
    answer = requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


class Tokens:
    """Checks tokens of `issuer` for `audience`; asks for its keys when first needed, and for a new one."""

    def __init__(self, issuer: str, audience: str, fetch: Callable[[str], dict[str, Any]] = fetched_json):
        self.issuer, self.audience, self._fetch = issuer, audience, fetch
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def claims(self, token: str) -> dict[str, Any]:
        """What a token says. Unauthenticated where it is none of the issuer's for us, or isn't valid now."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise Unauthenticated("token: algorithm must be one of " + ", ".join(ALGORITHMS))
            kid = header.get("kid")
            try:
                return self._decoded(token, header["alg"], kid)
            except jwt.InvalidSignatureError:
                if kid is not None or not self._asked_again():
                    raise
                return self._decoded(token, header["alg"], kid)  # its only key may be another by now
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("token: must not be expired") from None
        except (jwt.PyJWTError, TypeError, ValueError):
            raise Unauthenticated("token: must be a valid one of the issuer, for this service") from None

    def _decoded(self, token: str, algorithm: str, kid: str | None) -> dict[str, Any]:
        found: dict[str, Any] = jwt.decode(
            token,
            self._key(kid).key,
            algorithms=[algorithm],
            audience=self.audience,
            issuer=self.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED)},
        )
        return found

    def _asked_again(self) -> bool:
        with self._lock:
            if time.monotonic() - self._asked <= ASK_AGAIN_SECONDS:
                return False
            self._ask()
            return True

    def _key(self, kid: str | None) -> jwt.PyJWK:
        with self._lock:
            age = time.monotonic() - self._asked
            unknown = kid not in self._keys if kid is not None else not self._keys
            if age > KEYS_SECONDS or (unknown and age > ASK_AGAIN_SECONDS):
                self._ask()
            if kid is None and len(self._keys) == 1:  # an issuer with one key need not name it
                return next(iter(self._keys.values()))
            if kid not in self._keys:
                raise Unauthenticated("token: must be signed by a key of the issuer")
            return self._keys[kid]

    def _ask(self) -> None:
        self._asked = time.monotonic()
        try:
            told = self._fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.issuer:
                raise ValueError("another issuer")
            keys = self._fetch(told["jwks_uri"])["keys"]
        except (requests.RequestException, KeyError, TypeError, ValueError):
            if not self._keys:
                raise Unauthenticated("token: the issuer must answer, so that tokens can be checked") from None
            return  # the keys that are known stay good
        self._keys = {key.key_id: key for key in map(_key_of, keys) if key is not None}


def _key_of(found: dict[str, Any]) -> jwt.PyJWK | None:
    if found.get("use", "sig") != "sig" or found.get("kty") == "oct":
        return None
    try:
        return jwt.PyJWK(found)
    except jwt.PyJWTError:
        return None
