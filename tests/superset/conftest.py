"""Apache Superset before the projection. These tests take minutes: they run where they are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving_layer.projection.conftest import Postgres, running_postgres

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is named, as `make test-superset` does."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The one that the projection's tests have too."""
    yield from running_postgres()
