"""Ports: free ones, and whether given ones are."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterable, Mapping

from deployment.installation import StackError
from runtime.settings import cache_folder

# Below those that the system gives to whoever asks for any, and to connections.
FIRST, LAST = 20_000, 29_999


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A free loopback port for each name, all different.

    They are given in turn, to all processes of the machine: until a server listens, and while it is restarted, nobody
    else is given its port.
    """
    kept = cache_folder() / "next-port"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(kept, "a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        port = int(text) if text.isdecimal() else FIRST
        found = {}
        for name in names:
            while not _is_free(port := port + 1 if FIRST <= port < LAST else FIRST):
                pass
            found[name] = port
        file.truncate(0)
        file.write(str(port))
    return found


def free_port() -> int:
    """A free loopback port."""
    return free_ports(["one"])["one"]


def check_free(ports: Mapping[str, int], hint: str = "") -> None:
    """Raise StackError with the first of `ports` that somebody listens on."""
    for name, port in ports.items():
        problem = _problem(port)
        if problem:
            raise StackError(f"port {port} ({name}): must be free; {problem}{hint}")


def _is_free(port: int) -> bool:
    return _problem(port) is None


def _problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror or str(error)
    return None
