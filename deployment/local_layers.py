"""The layers that keep running on this machine, as daemons beside the local stack: speed, serving, the collector."""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployment.daemon import Daemon
from deployment.ports import free_port

DATA = Path(__file__).resolve().parents[1] / ".local"
MODULES = {
    "serving": "serving_layer.server",
    "speed": "speed_layer.stream_layer",
    "collector": "ingestion_layer.collector",
}


class LocalLayers:
    """Speed, serving and the collector as processes known by `folder`, where their logs and ports are kept."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._port, self._collector_port = folder / "serving.port", folder / "collector.port"

    @property
    def address(self) -> str:
        """Of the query API, once it was started."""
        return f"http://127.0.0.1:{self._port.read_text()}"

    @property
    def collector(self) -> str:
        """Address of the collector, once it was started."""
        return f"http://127.0.0.1:{self._collector_port.read_text()}"

    def start(self, environ: Mapping[str, str], port: int, collector_port: int) -> None:
        """Start what doesn't run; API and collector on their ports, or on free ones where another process has those."""
        for name, file, wanted in (("serving", self._port, port), ("collector", self._collector_port, collector_port)):
            if not self.running(name):
                file.write_text(str(free_port() if _taken(wanted) else wanted))
        own = {"SERVING_HOST": "127.0.0.1", "SERVING_PORT": self._port.read_text()}
        own |= {"COLLECTOR_HOST": "127.0.0.1", "COLLECTOR_PORT": self._collector_port.read_text()}
        own |= {"COLLECTOR_DATA": str(self.folder / "collector")}
        for name, module in MODULES.items():
            self._daemon(name).start([sys.executable, "-P", "-m", module], {**environ, **own})

    def stop(self) -> None:
        """Stop what runs."""
        for name in MODULES:
            self._daemon(name).stop()

    def running(self, name: str) -> int | None:
        """Process id of a layer that lives."""
        return self._daemon(name).pid()

    def status(self) -> dict[str, str]:
        """What runs, by name, in words."""
        found = {}
        for name in MODULES:
            pid = self.running(name)
            address = {"serving": self._port, "collector": self._collector_port}.get(name)
            at = f"http://127.0.0.1:{address.read_text()} " if pid and address else ""
            found[name] = f"{at}(process {pid})" if pid else "stopped"
        return found

    def log(self, name: str) -> Path:
        """What a layer prints."""
        return self._daemon(name).log

    def freshness(self) -> dict[str, Any] | None:
        """The API's `/freshness`; None where it doesn't answer."""
        try:
            with urllib.request.urlopen(f"{self.address}/freshness", timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:
            return None

    def _daemon(self, name: str) -> Daemon:
        return Daemon(name, self.folder, sign=MODULES[name])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
