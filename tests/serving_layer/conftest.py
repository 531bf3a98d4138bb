"""A real server over a small published run with deltas on top."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deployment.ports import free_port
from runtime.settings import Settings
from tests.laws.test_merged import Platform
from tests.oracle.histories import history

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 120
COMMAND = (sys.executable, str(ROOT / "serving_layer" / "serving_layer.py"))


class Server:
    """The serving layer as a process of its own, over the folders of `settings`."""

    def __init__(
        self,
        settings: Settings,
        platform: Platform | None = None,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
    ):
        self.platform = platform
        port = free_port()
        places = {"BATCH_VIEWS": settings.batch_views, "SPEED_VIEWS": settings.speed_views}
        folder = settings.batch_views.rpartition("/")[0]
        names = ("DISCLOSURE_LOG", "QUARANTINE", "COLLECTOR_SOURCES", "IDENTITY", "MASTER_DATASET")
        beside = {name: f"{folder}/{name.lower()}" for name in names}
        self.process = subprocess.Popen(
            [*command, "--port", str(port)], env=os.environ | beside | dict(environ or {}) | places
        )
        self.address = f"http://127.0.0.1:{port}"

    def wait(self, ask: Callable[[], object] | None = None) -> None:
        """Until it is ready, as `ask` says, or its own route."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            try:
                if ask:
                    ask()
                    return
                with urllib.request.urlopen(f"{self.address}/health/ready", timeout=5):
                    return
            except (OSError, httpx.HTTPError):
                time.sleep(0.1)
        raise AssertionError(f"the server must be ready within {LIMIT} s")

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def serving(platform: Platform, **environ: str) -> Iterator[Server]:
    """A server that is ready, over what a platform publishes."""
    running = Server(platform.settings, platform, environ)
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server that has a run and deltas."""
    platform = Platform(tmp_path_factory.mktemp("serving"), history(11, 2500), 11)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.3)
    with serving(platform) as running:
        yield running


@pytest.fixture(scope="session")
def http(server) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server.address, timeout=30) as client:
        yield client
