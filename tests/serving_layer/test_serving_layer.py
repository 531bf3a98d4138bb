"""The command that serves: what it refuses, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from deployment.ports import free_port

COMMAND = Path(__file__).resolve().parents[2] / "serving_layer" / "serving_layer.py"
LIMIT = 120


@pytest.mark.parametrize(("port", "wanted"), [("99999", "a port from 0 to 65535"), ("http", "a whole number")])
def test_a_port_that_is_none_is_named(port, wanted):
    done = subprocess.run([sys.executable, COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"setting SERVING_PORT: must be {wanted}" in done.stderr.splitlines()[-1]


def test_a_signal_ends_it_and_its_temporary_files(tmp_path):
    """It has nothing more to say then than where it answered, and an orchestrator's signal is no failure."""
    places = ("BATCH_VIEWS", "SPEED_VIEWS", "MASTER_DATASET", "QUARANTINE", "IDENTITY", "COLLECTOR_SOURCES")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environ = os.environ | {name: str(tmp_path / name) for name in places} | {"TMPDIR": str(scratch)}
    port = free_port()
    learn = str(Path(sys.executable).with_name("learn"))
    for how, command in ((signal.SIGTERM, [learn, "serve", "--json"]), (signal.SIGINT, [sys.executable, str(COMMAND)])):
        with subprocess.Popen(
            [*command, "--port", str(port)], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(f"http://127.0.0.1:{port}/health/started", process)
            assert list(scratch.iterdir()), "what it holds is there"
            process.send_signal(how)
            said, logged = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, logged
        assert all("process" in line for line in logged.splitlines()), logged
        assert list(scratch.iterdir()) == [], how
        if "--json" in command:
            assert json.loads(said)["address"] == f"http://127.0.0.1:{port}"


def wait_for(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + LIMIT
    while True:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
