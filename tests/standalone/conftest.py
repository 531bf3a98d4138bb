"""What the tests of this folder share; they take minutes, so they run where they are named."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standalone.cluster import Standalone

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is named, as `make test-cluster` does."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True


@pytest.fixture(scope="session")
def seed() -> int:
    """SEED, or one that nobody has seen before."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A cluster of two workers."""
    running = Standalone(tmp_path_factory.mktemp("spark"))
    try:
        running.up()
        yield running
    finally:
        running.down()
