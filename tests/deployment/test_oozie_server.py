"""What keeps `run` going: every process alive, and an Oozie that answers, if not each time."""

from __future__ import annotations

import http.server
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from deployment.installation import StackError
from deployment.oozie import server as module
from deployment.oozie.server import HADOOP, MISSES, PORTS, OozieServer


class Status(http.server.ThreadingHTTPServer):
    """Answers as Oozie does, but for the questions whose numbers `misses` holds; tells `stop` after `most` of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked, self.misses, self.most, self.stop = 0, set[int](), 10**9, threading.Event()


class Answer(http.server.BaseHTTPRequestHandler):
    server: Status

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.server.asked >= self.server.most:
            self.server.stop.set()
        self.send_response(503 if self.server.asked in self.server.misses else 200)
        self.end_headers()
        self.wfile.write(b'{"systemMode":"NORMAL"}')

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def status() -> Iterator[Status]:
    server = Status()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def oozie(status, tmp_path, monkeypatch) -> Iterator[OozieServer]:
    """Five processes that wait, in the daemons' place, and an Oozie that is asked all the time."""
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    found = OozieServer(tmp_path, PORTS | {"oozie": status.server_address[1]}, "127.0.0.1")
    for name in (*HADOOP, "oozie"):
        command = [sys.executable, "-c", "import time; time.sleep(300)", str(tmp_path)]
        found._daemon(name).start(command, dict(os.environ))
    yield found
    found.down()


def test_a_few_answers_may_fail_to_come(oozie, status):
    status.misses, status.most = set(range(3, 3 + MISSES - 1)) | set(range(20, 20 + MISSES - 1)), 40
    oozie.watch(status.stop)
    assert status.asked >= 40


def test_an_oozie_that_answers_no_more_is_given_up(oozie, status):
    status.misses = set(range(5, 1000))
    with pytest.raises(StackError, match=rf"must keep answering at .*; it missed {MISSES} times in a row"):
        oozie.watch(status.stop)
    assert status.asked == 4 + MISSES


@pytest.mark.parametrize("name", [*HADOOP, "oozie"])
def test_a_process_that_ended_is_named(oozie, status, name):
    os.kill(oozie._daemon(name).pid(), signal.SIGKILL)
    with pytest.raises(StackError, match=f"^{name}: must keep running; it ended, see .*/{name}.out$"):
        oozie.watch(status.stop)
