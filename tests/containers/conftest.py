"""Images that are built here and containers of them, on one Docker network; the daemon is started where none
answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

os.environ["TESTCONTAINERS_RYUK_DISABLED"] = (
    "true"  # its own image can't be had everywhere; each test removes what it ran
)

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from deployment.images import engine
from deployment.images.build import build
from deployment.pins import image
from deployment.ports import free_port
from runtime.settings import Settings

LIMIT = 120


def eventually(what: str, ready: Callable[[], Any], *errors: type[Exception]) -> Any:
    """What `ready` returns once it is true and raises none of `errors`."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            found = ready()
            if found:
                return found
        except errors as error:
            found = error
        assert time.monotonic() < deadline, f"{what} must be within {LIMIT} s; got {found!r}"
        time.sleep(0.2)


@contextmanager
def running(
    name: str, network: Network, alias: str, settings: dict[str, str], **ports: int
) -> Iterator[DockerContainer]:
    """A container of our image `name`, known to the others as `alias`, its ports published on loopback."""
    container = DockerContainer(image(name)).with_network(network).with_network_aliases(alias)
    # Docker takes an address with a port, which the library's own type leaves out.
    published: dict[str, Any] = {f"{inner[1:]}/tcp": ("127.0.0.1", outer) for inner, outer in ports.items()}
    container.ports = published
    for key, value in settings.items():
        container.with_env(key, value)
    try:
        yield container.start()
    finally:
        container.stop()


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    if not engine.answers() and os.geteuid() != 0:
        pytest.skip("no Docker daemon answers, and only root can start one")
    started = engine.start()
    try:
        for name in ("minio", "kafka", "platform"):
            build(name)
        with Network() as made:
            yield made
    finally:
        if started:
            engine.stop()


@pytest.fixture(scope="session")
def containers(network) -> Iterator[tuple[DockerContainer, DockerContainer, Settings]]:
    """Kafka and MinIO as containers, and the settings by which this machine reaches them."""
    kafka_port, minio_port = free_port(), free_port()
    broker = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INSIDE",
        "KAFKA_LISTENERS": "INSIDE://:19092,OUTSIDE://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"INSIDE://kafka:19092,OUTSIDE://127.0.0.1:{kafka_port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    keys = {"MINIO_ACCESS_KEY": "tests-access", "MINIO_SECRET_KEY": "tests-secret"}
    root = {"MINIO_ROOT_USER": keys["MINIO_ACCESS_KEY"], "MINIO_ROOT_PASSWORD": keys["MINIO_SECRET_KEY"]}
    places = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka_port}", "MINIO_ENDPOINT": f"http://127.0.0.1:{minio_port}"}
    with (
        running("kafka", network, "kafka", broker, _9092=kafka_port) as kafka,
        running("minio", network, "minio", root, _9000=minio_port) as minio,
    ):
        yield kafka, minio, Settings.load(os.environ | places | keys)
