"""A store that is taken away without a word, as a pod is, and comes back: serving is ready again within seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from runtime.storage.s3 import REPEATED_SECONDS
from serving_layer.state.serving_state import ServingState

CONNECTIONS, AWAY_SECONDS = 16, 5


class Proxy:
    """Passes connections on to `target`. While it is `silent` it takes connections and bytes and gives nothing back;
    those that it had then stay dead for ever, without being closed.
    """

    def __init__(self, target: tuple[str, int]):
        self.target = target
        self.silent = threading.Event()
        self.delay = 0.0
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

    def close(self) -> None:
        self.listener.close()
        for connection in self.held:
            connection.close()


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
