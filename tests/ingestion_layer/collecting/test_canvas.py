"""Canvas' signatures, by real keys: what one of Canvas' keys signed is taken, and nothing else."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deployment.ports import free_port
from ingestion_layer.collecting import canvas
from ingestion_layer.collecting.refusals import Refused
from tests.ingestion_layer.collecting.conftest import LIMIT, Collector
from tests.ingestion_layer.collecting.test_streams import envelope, viewed


class Key:
    """A private key, and its public one as a JSON web key."""

    def __init__(self, name: str, algorithm: str = "RS256"):
        self.name, self.algorithm = name, algorithm
        if algorithm == "ES256":
            self.private: Any = ec.generate_private_key(ec.SECP256R1())
            told = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key())
        else:
            self.private = rsa.generate_private_key(65537, 2048)
            told = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key())
        self.public = {**json.loads(told), "kid": name, "alg": algorithm, "use": "sig"}

    def signed(self, told: Any, **head: Any) -> str:
        """What Canvas sends: a JSON, signed in compact form."""
        headers = {"kid": self.name, **head}
        return jwt.api_jws.encode(json.dumps(told).encode(), self.private, self.algorithm, headers)


class Address:
    """Where the public keys can be had; `asked` tells how often they were."""

    def __init__(self, *keys: Key):
        self.keys, self.asked = list(keys), 0
        address = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address.asked += 1
                told = json.dumps({"keys": [key.public for key in address.keys]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/jwks"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(LIMIT)


@pytest.fixture(scope="module")
def known() -> list[Key]:
    """Canvas has three keys at any time: the last, the current and the next one."""
    return [Key("last"), Key("current"), Key("curve", "ES256")]


@pytest.fixture(scope="module")
def address(known) -> Iterator[Address]:
    running = Address(*known)
    yield running
    running.close()


@pytest.fixture(scope="module")
def collector(stack, address, tmp_path_factory) -> Iterator[Collector]:
    """One that wants signatures."""
    running = Collector(tmp_path_factory.mktemp("canvas"), stack.environment, CANVAS_KEYS=address.url)
    try:
        yield running.wait()
    finally:
        running.stop()


def post(collector: Collector, content: str | bytes) -> httpx.Response:
    return collector.client.post("/canvas", content=content, headers={"Content-Type": "application/jwt"})


def test_what_canvas_signed_is_taken_once(collector, topics, known):
    now = int(time.time())
    own = {"metadata": {"event_name": "quiz_submitted"}, "body": {"quiz_id": str(uuid.uuid4())}}
    sent = [known[0].signed(envelope(viewed())), known[1].signed(viewed()), known[2].signed([viewed(), viewed()])]
    sent += [known[1].signed({**envelope(viewed()), "iat": now, "nbf": now - 5, "exp": now + 300, "iss": "canvas"})]
    for _ in range(2):
        assert [(a.status_code, a.content) for a in (post(collector, one) for one in sent)] == [(200, b"")] * len(sent)
    assert post(collector, known[1].signed(own) + "\n").status_code == 200
    assert len({event["event_id"] for event in topics.events()}) == len(topics.events()) == 5
    assert [one["document"] for one in topics.unmapped()] == [own]


def forged(known: list[Key], kind: str) -> str | bytes:
    """What nobody who has Canvas' keys sends."""
    good, told = known[1], envelope(viewed())
    now = int(time.time())
    if kind == "another's key under a known name":
        return Key("current").signed(told)
    if kind == "expired":
        return good.signed({**told, "exp": now - 3600})
    if kind == "not yet":
        return good.signed({**told, "nbf": now + 3600})
    if kind == "without a signature":
        return json.dumps(told)
    if kind == "algorithm none":
        head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "current"}).encode()).decode().rstrip("=")
        return f"{head}.{good.signed(told).split('.')[1]}."
    if kind == "the public key as a password":
        pem = good.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "current"}).encode()).decode().rstrip("=")
        body = f"{head}.{good.signed(told).split('.')[1]}"
        made = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(body.encode(), pem)
        return f"{body}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"
    if kind == "another algorithm than the key's":
        return Key("curve").signed(told)
    if kind == "changed on the way":
        head, _, signature = good.signed(told).split(".")
        return f"{head}.{good.signed(envelope(viewed())).split('.')[1]}.{signature}"
    if kind == "without a name of a key":
        return jwt.api_jws.encode(json.dumps(told).encode(), good.private, "RS256")
    if kind == "a signature of no JSON":
        return jwt.api_jws.encode(b"{", good.private, "RS256", {"kid": "current"})
    return b"a.b.c" if kind == "no signed text" else b"\xff.\xfe.\xfd"


KINDS = (
    *("another's key under a known name", "expired", "not yet", "without a signature", "algorithm none"),
    *("the public key as a password", "another algorithm than the key's", "changed on the way"),
    *("without a name of a key", "a signature of no JSON", "no signed text", "no text"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_of_canvas_signed_is_refused(collector, topics, known, kind):
    answer = post(collector, forged(known, kind))
    assert answer.status_code == 401 and answer.json()["name"] == "signature", answer.text
    assert topics.records() == []


def test_keys_may_change(collector, topics, known, address):
    """A key that is new is asked for, at once or a few seconds later; one that isn't told any more holds no more."""
    old, new = known[0], Key("next")
    address.keys = [known[1], known[2], new]
    deadline, sent = time.monotonic() + LIMIT, new.signed(envelope(viewed()))
    while (answer := post(collector, sent)).status_code != 200:
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while (answer := post(collector, old.signed(envelope(viewed())))).status_code != 401:
        assert answer.status_code == 503 and time.monotonic() < deadline
        time.sleep(0.2)
    assert post(collector, known[1].signed(envelope(viewed()))).status_code == 200
    assert len(topics.events()) == 2


def refusal(keys: canvas.Keys, text: str) -> int:
    with pytest.raises(Refused) as refused:
        keys.opened(text)
    return refused.value.status


def test_invented_names_don_t_ask_for_keys_again_and_again(known, address):
    before, keys = address.asked, canvas.Keys(address.url)
    statuses = {refusal(keys, known[1].signed({}, kid=f"invented-{number}")) for number in range(20)}
    assert statuses == {401, 503} and address.asked - before == 2
    assert keys.opened(known[1].signed({"a": 1})) == {"a": 1}, "known ones hold meanwhile"


def test_while_keys_can_t_be_had_senders_come_again(known):
    assert refusal(canvas.Keys(f"http://127.0.0.1:{free_port()}/jwks"), known[1].signed({})) == 503
