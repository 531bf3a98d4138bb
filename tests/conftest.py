"""The real Kafka and MinIO that stack tests share."""

from collections.abc import Iterator

import pytest

from deployment.local_stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[LocalStack]:
    """A running stack on free ports, stopped at the end."""
    running = LocalStack(tmp_path_factory.mktemp("stack"), free_ports=True)
    try:
        running.up()
        yield running
    finally:
        running.down()
