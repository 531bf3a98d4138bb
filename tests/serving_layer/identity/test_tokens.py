"""Tokens of a real OpenID Connect server, and every kind of token that must not open anything."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from serving_layer.errors import Unauthenticated
from serving_layer.identity import tokens as module
from serving_layer.identity.tokens import Tokens
from tests.serving_layer.identity.conftest import AUDIENCE

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}


def test_a_login_s_token_is_taken(issuer):
    claims = Tokens(issuer.address, AUDIENCE).claims(issuer.token("GV001", role="lecturer", courses=["COURSE001"]))
    assert (claims["sub"], claims["role"], claims["courses"]) == ("GV001", "lecturer", ["COURSE001"])


def test_a_token_for_another_service_is_refused(issuer):
    with pytest.raises(Unauthenticated, match="for this service"):
        Tokens(issuer.address, AUDIENCE).claims(issuer.token("GV001", client="another service", role="admin"))


def test_another_issuer_is_refused(issuer):
    with pytest.raises(Unauthenticated):
        Tokens(f"{issuer.address}/", AUDIENCE).claims(issuer.token("GV001", role="admin"))


def test_an_altered_token_is_refused(issuer):
    tokens = Tokens(issuer.address, AUDIENCE)
    head, body, signature = issuer.token("SV001", role="student").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"role": "admin"}
    altered = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    for text in (f"{head}.{altered}.{signature}", f"{head}.{body}.", f"{head}.{body}", "x", "a.b.c", "é.é.é"):
        with pytest.raises(Unauthenticated):
            tokens.claims(text)


def test_keys_that_rotate_are_followed(issuer, monkeypatch):
    monkeypatch.setattr(module, "ASK_AGAIN_SECONDS", 0.0)
    tokens = Tokens(issuer.address, AUDIENCE)
    old = issuer.token("SV001", role="student")
    assert tokens.claims(old)
    issuer.stop()
    assert tokens.claims(old), "the issuer need not answer meanwhile"
    issuer.start()
    assert tokens.claims(issuer.token("SV001", role="student"))
    with pytest.raises(Unauthenticated):
        tokens.claims(old)


def test_the_issuer_is_not_asked_for_every_unknown_key(issuer):
    asked: list[str] = []

    def fetch(url: str) -> dict[str, Any]:
        asked.append(url)
        return module.fetched_json(url)

    tokens = Tokens(issuer.address, AUDIENCE, fetch)
    for number in range(50):
        forged = jwt.encode({"sub": "x"}, PRIVATE["RS256"], "RS256", headers={"kid": f"k{number}"})
        with pytest.raises(Unauthenticated):
            tokens.claims(forged)
    assert len(asked) == 2


def published(url: str) -> dict[str, Any]:
    """What an issuer with a key of each kind would say: here a token can be made that no honest issuer makes."""
    if url.endswith("/openid-configuration"):
        return {"issuer": "https://issuer.example", "jwks_uri": "https://issuer.example/keys"}
    keys = []
    for name, key in PRIVATE.items():
        algorithm = jwt.get_algorithm_by_name(name)
        keys.append(json.loads(algorithm.to_jwk(key.public_key())) | {"kid": name, "use": "sig", "alg": name})
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    return {"keys": [*keys, {"kty": "oct", "kid": "HS256", "k": secret}]}


def made(
    change: Callable[[dict[str, Any]], object] = lambda claims: None, algorithm: str = "RS256", **head: Any
) -> str:
    claims = {
        "iss": "https://issuer.example",
        "aud": AUDIENCE,
        "sub": "SV001",
        "exp": int(time.time()) + 300,
        "role": "student",
    }
    change(claims)
    return jwt.encode(claims, PRIVATE[algorithm], algorithm, headers={"kid": algorithm, **head})


@pytest.fixture
def tokens() -> Tokens:
    return Tokens("https://issuer.example", AUDIENCE, published)


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_both_kinds_of_key_are_taken(tokens, algorithm):
    assert tokens.claims(made(algorithm=algorithm))["sub"] == "SV001"


@pytest.mark.parametrize(
    "change",
    [
        lambda claims: claims.pop("exp"),
        lambda claims: claims.pop("aud"),
        lambda claims: claims.pop("iss"),
        lambda claims: claims.pop("sub"),
        lambda claims: claims.update(exp=int(time.time()) - 60),
        lambda claims: claims.update(exp="soon"),
        lambda claims: claims.update(nbf=int(time.time()) + 600),
        lambda claims: claims.update(aud=["others"]),
        lambda claims: claims.update(iss="https://issuer.example.evil.example"),
    ],
)
def test_claims_must_hold(tokens, change):
    with pytest.raises(Unauthenticated):
        tokens.claims(made(change))


def test_a_key_that_is_new_is_asked_for_by_its_name(monkeypatch):
    now, first, second = [0.0], "RS256", "ES256"
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    known = [first]

    def fetch(url: str) -> dict[str, Any]:
        found = published(url)
        return found if "issuer" in found else {"keys": [key for key in found["keys"] if key["kid"] in known]}

    tokens = Tokens("https://issuer.example", AUDIENCE, fetch)
    assert tokens.claims(made(algorithm=first))
    with pytest.raises(Unauthenticated):
        tokens.claims(made(algorithm=second))
    known[:] = [second]
    now[0] += module.ASK_AGAIN_SECONDS + 1
    assert tokens.claims(made(algorithm=second))
    with pytest.raises(Unauthenticated):
        tokens.claims(made(algorithm=first))


def test_a_public_key_is_no_secret(tokens):
    """The oldest attack on such tokens: HS256 with the published key as the secret, and no signature at all."""
    public = json.dumps(published("keys")["keys"][0])
    body = made().split(".")[1]
    for head in ({"alg": "HS256", "kid": "RS256"}, {"alg": "none"}, {"alg": "None", "kid": "RS256"}):
        encoded = base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")
        for signature in ("", base64.urlsafe_b64encode(public.encode()).decode().rstrip("=")):
            with pytest.raises(Unauthenticated, match="algorithm must be one of"):
                tokens.claims(f"{encoded}.{body}.{signature}")
    shared = jwt.encode({"sub": "x"}, b"s" * 32, "HS256", headers={"kid": "HS256"})
    with pytest.raises(Unauthenticated, match="algorithm must be one of"):
        tokens.claims(shared)


def test_a_key_of_another_kind_is_no_key(tokens):
    with pytest.raises(Unauthenticated):
        tokens.claims(made(kid="ES256"))
    with pytest.raises(Unauthenticated):
        tokens.claims(made(kid="HS256"))
