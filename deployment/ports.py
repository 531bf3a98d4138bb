"""Ports: free ones, and whether given ones are."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

from deployment.installation import StackError


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


def check_free(ports: Mapping[str, int], hint: str = "") -> None:
    """Raise StackError with the first of `ports` that somebody listens on."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StackError(f"port {port} ({name}): must be free; {error.strerror}{hint}") from None
