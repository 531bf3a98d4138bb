"""Clients of npm, as courses in browsers have them, against the store."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deployment.installation import tool
from deployment.npm_packages import NODE, installed

CLIENTS = Path(__file__).parent / "clients"


def test_xapi_and_cmi5(shared_collector):
    modules = installed(CLIENTS, "collector-clients") / "node_modules"
    command = [tool("node", NODE), str(CLIENTS / "run.mjs"), f"{shared_collector.address}/xapi/", str(modules)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.endswith("well\n"), (done.stdout + done.stderr)[-3000:]
