"""A store that is taken away without a word, as a pod is, and comes back: serving is ready again within seconds, and
nobody takes another server's word for the store's.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from runtime.storage.opening import open_store
from runtime.storage.s3 import REPEATED_SECONDS
from runtime.storage.store import StorageError
from serving_layer.state.serving_state import ServingState

CONNECTIONS, AWAY_SECONDS = 16, 5


class Proxy:
    """Passes connections on to `target`. While it is `silent` it takes connections and bytes and gives nothing back;
    those that it had then stay dead for ever, without being closed. Where it has a `gateway_answer` new connections
    lead astray for ever: each request gets that.
    """

    def __init__(self, target: tuple[str, int]):
        self.target = target
        self.silent = threading.Event()
        self.delay = 0.0
        self.gateway_answer = b""
        self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.silent.is_set():
                self.held.append(client)
                continue
            if self.gateway_answer:
                self.held.append(client)
                threading.Thread(target=self._lead_astray, args=(client, self.gateway_answer), daemon=True).start()
                continue
            server = socket.create_connection(self.target)
            self.held += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        dead = False
        try:
            while data := source.recv(65536):
                time.sleep(self.delay)
                dead = dead or self.silent.is_set()
                if dead:
                    self.lost += 1
                else:
                    sink.sendall(data)
            if not (dead or self.silent.is_set()):
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _lead_astray(self, client: socket.socket, answer: bytes) -> None:
        with suppress(OSError), client.makefile("rb") as asked:
            while asked.readline():
                length = 0
                while (line := asked.readline().strip().lower()) != b"":
                    if line.startswith(b"expect:"):
                        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    length = int(line.partition(b":")[2]) if line.startswith(b"content-length:") else length
                asked.read(length)
                client.sendall(answer)

    def cut(self) -> None:
        """End every connection."""
        while self.held:
            connection = self.held.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        self.listener.close()
        self.cut()


@pytest.fixture
def proxy(stack) -> Iterator[Proxy]:
    parts = urlsplit(stack.settings.minio_endpoint)
    made = Proxy((parts.hostname or "", parts.port or 80))
    try:
        yield made
    finally:
        made.close()


def until(holds, seconds: float) -> float:
    """Seconds until it holds."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + seconds, f"it must hold within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


def test_serving_is_ready_again_when_the_store_is_back(stack, proxy):
    """Every connection that was kept is dead: waiting for each of them in turn took minutes."""
    places = {"batch_views": "s3a://bucket-0/away/batch", "speed_views": "s3a://bucket-0/away/speed"}
    state = ServingState(replace(stack.settings, minio_endpoint=proxy.address, **places))
    state.start()
    try:
        until(lambda: state.is_ready, 60)
        proxy.delay = 0.5  # so that none of them can take the connection of another
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            list(threads.map(lambda _: state.batch.etag("nothing"), range(CONNECTIONS)))
        proxy.delay = 0.0
        assert len(proxy.held) >= 2 * CONNECTIONS
        proxy.silent.set()
        threading.Timer(AWAY_SECONDS, proxy.silent.clear).start()
        started = time.monotonic()
        assert state.batch.etag("nothing") is None
        assert AWAY_SECONDS < time.monotonic() - started < REPEATED_SECONDS + 10, "one wait, not one for each of them"
        until(lambda: state.is_ready, REPEATED_SECONDS)
        assert proxy.lost
    finally:
        state.stop()


ANSWERS = {
    "404": b"HTTP/1.1 404 Not Found\r\nserver: gateway\r\ncontent-length: 0\r\n\r\n",
    "403": b"HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\ndenied",
    "302": b"HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\ncontent-length: 0\r\n\r\n",
    "412": b"HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    "200": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 18\r\n\r\n<html>Hello</html>",
}


@pytest.mark.parametrize("status", ANSWERS)
def test_another_server_s_answer_is_not_the_store_s(stack, proxy, tmp_path, status):
    """Its 404 isn't that nothing is published, its 200 not that something is kept."""
    settings = replace(stack.settings, minio_endpoint=proxy.address)
    store, real = (open_store(f"s3a://bucket-0/astray/{status}", of) for of in (settings, stack.settings))
    real.write("kept", b"1")
    (tmp_path / "file").write_bytes(b"2")
    doings = {
        "etag": lambda: store.etag("kept"),
        "list": store.list,
        "write": lambda: store.write("new", b"2"),
        "read": lambda: store.read("kept"),
        "download": lambda: store.download("kept", tmp_path / "copy"),
        "create": lambda: store.create("new", b"2"),
        "swap": lambda: store.swap("kept", b"2", real.etag("kept")),
        "upload": lambda: store.upload(tmp_path / "file", "new"),
        "delete": lambda: store.delete(["kept"]),
    }
    for name, doing in list(doings.items())[: None if status == "404" else 3]:
        proxy.cut()
        proxy.gateway_answer = ANSWERS[status]
        with pytest.raises(StorageError, match=rf"no S3 store answers there \(status {status}\)"):
            doing()
        proxy.gateway_answer = b""
        assert store.read("kept") == b"1", f"after {name} a new connection is made"
        assert [entry.path for entry in store.list()] == ["kept"], name


def test_a_request_that_went_astray_is_made_again(stack, proxy):
    settings = replace(stack.settings, minio_endpoint=proxy.address)
    store = open_store("s3a://bucket-0/astray/again", settings)
    proxy.gateway_answer = ANSWERS["404"]
    threading.Timer(0.3, setattr, (proxy, "gateway_answer", b"")).start()
    assert store.etag("kept") is None
    store.write("kept", b"1")
    assert store.read("kept") == b"1"
