"""Nobody holds a connection or memory by saying little: heads and bodies end in time, and others are answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from ingestion_layer.collecting import bodies, protocol
from ingestion_layer.collecting.bodies import body_of
from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.refusals import answer_errors

MOST, LIMIT = 100_000, 60
PATIENCE = 0.5


class Served:
    """The collector's own reading of heads and bodies, in front of nothing, with little patience."""

    def __init__(self) -> None:
        self.budget = Budget(10 * MOST)
        app = FastAPI()
        answer_errors(app)

        @app.post("/")
        async def length(request: Request) -> int:
            async with body_of(request, self.budget, MOST) as body:
                return len(body)

        config = uvicorn.Config(app, port=0, http=protocol.Protocol, loop="uvloop", log_config=None)
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self.server.serve(),), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + LIMIT
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop."""
        self.server.should_exit = True
        self._thread.join(LIMIT)

    def connected(self, text: bytes) -> socket.socket:
        """A connection on which something was said."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
        made.sendall(text)
        return made

    def length(self, content: bytes = b"12345") -> int:
        """What a sender without trouble is answered."""
        return int(httpx.post(f"http://127.0.0.1:{self.port}/", content=content, timeout=LIMIT).raise_for_status().text)

    def is_idle(self) -> bool:
        """Whether no body waits any more, within a minute."""
        deadline = time.monotonic() + LIMIT
        while self.budget.waiting and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.budget.waiting == 0


@pytest.fixture
def served(monkeypatch) -> Iterator[Served]:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", PATIENCE)
    monkeypatch.setattr(bodies, "READ_SECONDS", PATIENCE)
    running = Served()
    yield running
    running.close()


def dripped(connection: socket.socket, text: bytes) -> bytes:
    """What is answered on a connection on which one byte after the other is said, until it is closed."""
    connection.settimeout(0.02)
    received, deadline = b"", time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            try:
                connection.sendall(text)
                more = connection.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return received
            if not more:
                return received
            received += more
    raise AssertionError("the connection must be closed")


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "said", [b"", b"POST / HT", HEAD, HEAD + b"X: "], ids=["nothing", "a part", "a line", "a name"]
)
def test_a_head_that_doesn_t_end_ends(served, said):
    with served.connected(said) as slow:
        assert served.length() == 5
        assert slow.recv(65536) == b""
    with served.connected(said) as dripping:
        assert b" 200 " not in dripped(dripping, b"a" if said else b"P"), "single bytes give no more time"
    assert served.length() == 5


@pytest.mark.parametrize("framing", [b"Content-Length: 5000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
def test_a_body_that_doesn_t_end_is_told_so(served, framing):
    with served.connected(HEAD + framing) as slow:
        assert served.length() == 5
        assert slow.recv(65536).startswith(b"HTTP/1.1 408 ")
    with served.connected(HEAD + framing) as dripping:
        answer = dripped(dripping, b" " if b"Length" in framing else b"1\r\n \r\n")
        assert answer.startswith(b"HTTP/1.1 408 ") and b'"name":"body"' in answer
    assert served.is_idle() and served.length() == 5


def test_who_is_refused_at_once_can_t_go_on_for_ever(served):
    with served.connected(HEAD + b"Content-Length: %d\r\n\r\n" % (MOST + 1)) as dripping:
        assert dripped(dripping, b" ").startswith(b"HTTP/1.1 413 ")
    assert served.is_idle() and served.length() == 5


def test_a_head_without_end_is_cut_off(served):
    with served.connected(HEAD) as endless:
        assert b" 200 " not in dripped(endless, b"X-A: " + b"a" * 10_000 + b"\r\n")
    assert served.length() == 5


def test_who_leaves_leaves_nothing(served):
    for part in (1, 1_000, 40_000):
        with served.connected(HEAD + b"Content-Length: 50000\r\n\r\n" + b" " * part):
            pass
    assert served.is_idle() and served.length() == 5


def test_many_requests_on_one_connection_have_time_each(served):
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=LIMIT) as client:
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5 * PATIENCE:
            assert client.post("/", content=b"123").text == "3"
