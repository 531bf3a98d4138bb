"""The real Kafka, MinIO and HDFS that tests share."""

from collections.abc import Iterator

import pytest

from deployment.local_stack import LocalStack
from tests.hdfs import Hdfs


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
