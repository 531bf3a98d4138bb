"""The real Kafka, MinIO and HDFS that tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.local_stack import LocalStack
from tests.hdfs import Hdfs

TESTS = Path(__file__).parent
# What needs servers: these folders, and whatever asks for one of these.
SERVER_FOLDERS = {"stack", "containers", "kubernetes", "oozie", "cluster", "compose", "monitoring", "standalone"}
SERVER_FIXTURES = {"stack", "hdfs"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test-quick` leaves out, and begin with them: they take longest, beside others."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in SERVER_FOLDERS or SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
    servers = {item.path for item in items if item.get_closest_marker("servers")}
    items.sort(key=lambda item: item.path not in servers)


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[LocalStack]:
    """A running stack on free ports, stopped at the end."""
    running = LocalStack(tmp_path_factory.mktemp("stack"), free_ports=True)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory) -> Iterator[Hdfs]:
    """A running HDFS on free ports, stopped at the end."""
    running = Hdfs(tmp_path_factory.mktemp("hdfs"))
    try:
        running.up()
        yield running
    finally:
        running.down()
