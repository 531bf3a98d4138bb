"""A Kubernetes of one node with the platform on it. These tests take minutes and memory: they run where they are
named.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deployment.images import engine
from deployment.images.build import build
from deployment.installation import StackError
from deployment.kubernetes.cluster import load_from_docker
from deployment.kubernetes.node import Cluster
from deployment.local_stack import ROOT
from deployment.pins import image
from tests.cluster.platform import Platform

HERE = Path(__file__).parent
IMAGES = ("platform", "ingestion", "kafka", "minio", "prometheus")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is named, as `make test-k8s` does."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """A cluster that has the platform's images; what its pods said last stays in `.local/k8s.log`."""
    engine.start()
    for name in IMAGES:
        build(name)
    running = Cluster(tmp_path_factory.mktemp("kube"))
    try:
        running.up()
        load_from_docker(running, *(image(name) for name in IMAGES))
        yield running
    finally:
        with suppress(StackError, OSError):
            (ROOT / ".local").mkdir(exist_ok=True)
            (ROOT / ".local" / "k8s.log").write_text(Platform(running).told())
        running.down()
        shutil.rmtree(running.folder, ignore_errors=True)


@pytest.fixture
def platform(cluster) -> Platform:
    """The platform, not applied yet: each time it has keys of its own."""
    return Platform(cluster)
