"""The command that serves: what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).resolve().parents[2] / "serving_layer" / "serving_layer.py"


@pytest.mark.parametrize(("port", "wanted"), [("99999", "a port from 0 to 65535"), ("http", "a whole number")])
def test_a_port_that_is_none_is_named(port, wanted):
    done = subprocess.run([sys.executable, COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"setting SERVING_PORT: must be {wanted}" in done.stderr.splitlines()[-1]
