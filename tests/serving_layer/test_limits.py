"""What one client may take: requests, bytes, time and connections; and what answers let browsers do."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request

from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer import protocol
from serving_layer.browsers import SAFE
from serving_layer.errors import Forbidden, TookTooLong, TooMany
from serving_layer.identity import rates as module
from serving_layer.identity.api_keys import create_key
from serving_layer.identity.gate import Gate
from serving_layer.identity.rates import Rates
from serving_layer.problems import answer_errors
from serving_layer.query.deadlines import Deadlines
from serving_layer.routes.documentation import policy
from tests.serving_layer.conftest import Server
from tests.serving_layer.test_protocol import answered

CONNECTIONS = 12


def test_requests_are_counted_by_who_makes_them(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("runtime.token_bucket.time.monotonic", lambda: now[0])
    rates = Rates(5)
    for _ in range(10):
        rates.take("one")
    with pytest.raises(TooMany, match="at most 5 a second; go on in 1 s"):
        rates.take("one")
    rates.take("another")
    now[0] += 0.4
    rates.take("one")
    rates.take("one")
    with pytest.raises(TooMany):
        rates.take("one")
    now[0] += 1000
    for _ in range(10):
        rates.take("one")
    with pytest.raises(TooMany):
        rates.take("one")
    for number in range(module.MOST_KNOWN * 2):
        rates.take(str(number))
    assert len(rates._left) <= module.MOST_KNOWN
    for _ in range(1000):
        Rates(0).take("one")


@pytest.fixture(scope="module")
def strict(server, tmp_path_factory):
    """A server that takes few requests and few connections, and a key of it."""
    folder = tmp_path_factory.mktemp("strict")
    environ = {
        "AUTHENTICATION": "required",
        "IDENTITY": str(folder / "identity"),
        "DISCLOSURE_LOG": str(folder / "disclosure"),
        "RATE_LIMIT": "2",
        "MOST_CONNECTIONS": str(CONNECTIONS),
    }
    key = create_key(open_store(environ["IDENTITY"]), "admin", 1)[1]
    running = Server(server.platform.settings, server.platform, {**os.environ, **environ})
    try:
        running.wait()
        yield running, key
    finally:
        running.stop()


def test_too_many_requests_are_told_when_to_go_on(strict):
    running, key = strict
    with httpx.Client(base_url=running.address, timeout=30) as client:
        for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": "Bearer la_guess_0"}):
            answers = [client.get("/freshness", headers=headers) for _ in range(40)]
            late = [answer for answer in answers if answer.status_code == 429]
            assert late and late[0].json()["name"] == "rate" and int(late[0].headers["retry-after"]) >= 1
        assert client.get("/health/live").status_code == 200


def test_more_connections_are_refused(strict):
    running, _ = strict
    place = urlsplit(running.address)
    with ExitStack() as open_ones:
        for _ in range(CONNECTIONS):
            open_ones.enter_context(socket.create_connection((place.hostname, place.port), timeout=10))
        deadline = time.monotonic() + 30
        while True:  # the server takes the connections in its own time
            status, body = answered(running, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if status == 503:
                break
            assert time.monotonic() < deadline
        assert body["name"] == "connections"
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx.get(f"{running.address}/health/live").status_code == 200:
                break
        except httpx.HTTPError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("headers", "status"),
    [("Content-Length: 65537", 413), ("Content-Length: 99999999999", 413), ("Content-Length: -1", 400),
     ("Transfer-Encoding: chunked", 411)],
)  # fmt: skip
def test_large_bodies_are_refused_before_they_come(server, headers, status):
    head = f"POST /logout HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode()
    told, body = answered(server, head)
    assert (told, body["name"]) == (status, "request" if status == 400 else "body")


def test_slow_requests_are_ended(server, monkeypatch):
    """Half a head, and half a body: neither keeps a connection for longer than is said."""
    assert protocol.REQUEST_SECONDS <= 30
    status, body = answered(server, b"GET /views HTTP/1.1\r\nHo")
    assert (status, body["name"]) == (408, "request")


def test_a_query_that_takes_too_long_is_ended_and_told():
    deadlines = Deadlines(0.3)
    deadlines.start()
    con = duckdb.connect()
    try:
        began = time.monotonic()
        with pytest.raises(TookTooLong, match=r"at most 0.3 s"), deadlines.over(con):
            con.execute(
                "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range % 7 = b.range % 5"
            )
        assert time.monotonic() - began < 30
        with deadlines.over(con):
            assert con.execute("SELECT 1").fetchall() == [(1,)], "the connection goes on"
    finally:
        deadlines.stop()
    app = FastAPI()
    answer_errors(app)

    @app.get("/")
    async def slow() -> None:
        raise TookTooLong("a query must take at most 1 s")

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.json()["name"]) == (504, "query")


@pytest.mark.parametrize(
    "path", ["/", "/links", "/docs", "/redoc", "/views", "/freshness", "/nothing", "/openapi.json"]
)
def test_every_answer_is_safe_for_browsers(http, path):
    headers = http.get(path, headers={"Origin": "https://evil.example"}).headers
    policies = headers.get_list("content-security-policy")
    assert len(policies) == 1 and "unsafe" not in policies[0] and "default-src 'none'" in policies[0]
    assert "frame-ancestors 'none'" in policies[0]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control-")], "CORS is off"


def test_what_is_refused_before_it_is_read_is_safe_too(server):
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/9\r\n\r\n")
        received = b""
        while more := connection.recv(65536):
            received += more
    head = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0].startswith("HTTP/1.1 400") and {f"{n}: {v}" for n, v in SAFE.items()} <= {*head}


def test_an_error_of_ours_tells_nothing_and_is_safe_too():
    app = FastAPI()
    answer_errors(app)

    @app.get("/")
    async def broken() -> None:
        raise RuntimeError("SV001")

    answer = TestClient(app, raise_server_exceptions=False).get("/")
    assert answer.status_code == 500 and "SV001" not in answer.text
    assert SAFE.items() <= dict(answer.headers).items()


def test_who_is_refused_at_the_gate_is_counted_too(tmp_path, monkeypatch):
    """A token of the issuer that names no role costs as much to check as another."""
    gate = Gate(Settings.load({"AUTHENTICATION": "required", "IDENTITY": str(tmp_path), "RATE_LIMIT": "1"}))
    scope = {"type": "http", "headers": [(b"authorization", b"Bearer x.y.z")], "client": ("192.0.2.1", 1)}

    async def refuse(_: Request) -> None:
        raise Forbidden("role", "none")

    monkeypatch.setattr(gate, "_viewer", refuse)

    async def ask() -> list[type]:
        found = []
        for _ in range(4):
            try:
                await gate.viewer(Request(scope))
            except (Forbidden, TooMany) as error:
                found.append(type(error))
        return found

    told = asyncio.run(ask())
    assert told[:2] == [Forbidden, Forbidden] and told[-1] is TooMany


def test_the_policy_names_what_a_page_has():
    told = policy(b"<style>a{}</style><script>let x</script><script src='/x'></script><script>let y</script>")
    assert told.count("'sha256-") == 3 and "script-src 'self' 'sha256-" in told


def test_other_sites_may_not_ask_first(http):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = http.options("/views", headers=asked)
    assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers
