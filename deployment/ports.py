"""Ports that nobody uses."""

from __future__ import annotations

import socket
from collections.abc import Iterable


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A free loopback port for each name, all different."""
    sockets = {name: socket.socket() for name in names}
    for opened in sockets.values():
        opened.bind(("127.0.0.1", 0))
    ports = {name: opened.getsockname()[1] for name, opened in sockets.items()}
    for opened in sockets.values():
        opened.close()
    return ports


def free_port() -> int:
    """A free loopback port."""
    return free_ports(["one"])["one"]
