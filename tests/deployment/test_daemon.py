"""A process in the background is known by its id and by when it began."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deployment.daemon import Daemon
from deployment.installation import StackError
from deployment.ports import check_free, free_port

# A server whose first thread is gone, as the JVM's may be while it ends; what stops others' threads comes later.
FIRST_THREAD_ENDS = """
import ctypes, pathlib, socket, sys, threading, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def wait():
    pathlib.Path(sys.argv[2], "listens").touch()
    time.sleep(60)
threading.Thread(target=wait).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_another_process_with_the_old_id_is_not_it(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    first, second = Daemon("first", tmp_path), Daemon("second", tmp_path)
    try:
        first.start(command, os.environ)
        pid = first.pid()
        first.start(command, os.environ)
        assert pid and first.pid() == pid, "a second start changes nothing"
        began = (tmp_path / "first.pid").read_text().split()[1]
        (tmp_path / "second.pid").write_text(f"{pid} {int(began) - 1}")
        assert second.pid() is None, "of a container before this one"
    finally:
        first.stop()
    assert first.pid() is None


def test_a_process_lives_while_any_of_its_threads_holds_a_port(tmp_path):
    port = free_port()
    command = [sys.executable, "-c", FIRST_THREAD_ENDS, str(port), str(tmp_path)]
    server = Daemon("server", tmp_path)
    server.start(command, os.environ)
    try:
        _until(lambda: (tmp_path / "listens").exists() and _state(server) == "Z")
        with pytest.raises(StackError, match="must be free"):
            check_free({"server": port})
        assert server.pid(), "its first thread is gone, the port is not"
    finally:
        server.stop()
    check_free({"server": port})


def _state(daemon: Daemon) -> str:
    pid = (daemon.folder / f"{daemon.name}.pid").read_text().split()[0]
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
