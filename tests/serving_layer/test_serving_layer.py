"""The command that serves: what it refuses, and how it ends."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from runtime.settings import Settings
from tests.serving_layer.conftest import COMMAND, LIMIT, Server

LEARN = str(Path(sys.executable).with_name("learn"))


@pytest.mark.parametrize(("port", "wanted"), [("99999", "a port from 0 to 65535"), ("http", "a whole number")])
def test_a_port_that_is_none_is_named(port, wanted):
    done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"setting SERVING_PORT: must be {wanted}" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("how", "command"), [(signal.SIGTERM, (LEARN, "serve", "--json")), (signal.SIGINT, COMMAND)])
def test_a_signal_ends_it_and_its_temporary_files(tmp_path, capfd, how, command):
    """It has nothing more to say then than where it answered, and an orchestrator's signal is no failure."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    places = replace(Settings.load({}), batch_views=str(tmp_path / "batch"), speed_views=str(tmp_path / "speed"))
    server = Server(places, environ={"TMPDIR": str(scratch)}, command=command)
    try:
        server.wait(lambda: httpx.get(f"{server.address}/health/started").raise_for_status())
        assert list(scratch.iterdir()), "what it holds is there"
        server.process.send_signal(how)
        assert server.process.wait(LIMIT) == 0
    finally:
        server.stop()
    said, logged = capfd.readouterr()
    assert all("process" in line for line in logged.splitlines()), logged
    assert list(scratch.iterdir()) == []
    if "--json" in command:
        assert json.loads(said)["address"] == server.address
