"""Oozie with its Hadoop and the stack's MinIO and Kafka. These tests take minutes: they run where they are named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.oozie.server import OozieServer

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is named, as `make test-oozie` does."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True


@pytest.fixture(scope="session")
def oozie(stack, tmp_path_factory) -> Iterator[OozieServer]:
    """A server on free ports that tries a failed action once more; its jobs use the stack."""
    server = OozieServer(tmp_path_factory.mktemp("oozie"), retries=1, environ=os.environ | stack.environment)
    try:
        server.up()
        yield server
    finally:
        server.down()
