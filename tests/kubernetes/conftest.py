"""The project's manifests as `kubectl kustomize` prints them, and a real API server that judges them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.kubernetes.api_server import ApiServer
from deployment.local_stack import ROOT

FOLDER = ROOT / "deployment" / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
PLACES = {name: FOLDER / "overlays" / name for name in OVERLAYS}
PLACES |= {name: FOLDER / name for name in ("producer", "projection")}
# What needs the kinds of Prometheus' operator, which the API server here doesn't know.
EVERYWHERE = PLACES | {"monitoring": FOLDER / "monitoring"}
DATA = Path(os.environ.get("LEARNING_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[ApiServer]:
    """An API server that knows Strimzi's kinds; stopped at the end."""
    running = ApiServer(tmp_path_factory.mktemp("api"))
    try:
        running.up()
        running.do("apply", "--server-side", "-f", str(DATA / "strimzi_crds"))
        running.wait("Strimzi's kinds", lambda: knows(running, "kafka.strimzi.io/v1"), "api-server")
        yield running
    finally:
        running.down()


def knows(running: ApiServer, group: str) -> bool:
    """Whether the server has the schemas of an API group by now."""
    return f'"apis/{group}"' in running.do("get", "--raw", "/openapi/v3")
