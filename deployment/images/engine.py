"""The Docker daemon that images are built and run with: the machine's own, else one that is started here."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import IO

from deployment.daemon import Daemon
from deployment.installation import StackError
from deployment.packages import need
from runtime.settings import cache_folder

START_SECONDS = 60
RUNTIME = Path("/run/learning-analytics-docker")


def docker(*arguments: str, given: IO[bytes] | None = None, limit: float = 900) -> str:
    """What a docker command prints; StackError with its last line where it fails or takes longer than `limit`
    seconds.
    """
    command = [need("docker", "docker.io"), *arguments]
    try:
        done = subprocess.run(
            command, stdin=given or subprocess.DEVNULL, capture_output=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"docker {arguments[0]}: must end within {limit:.0f} s; it didn't") from None
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        last = (done.stderr.decode(errors="replace") or text).strip().splitlines()[-1:] or ["no output"]
        raise StackError(f"docker {arguments[0]}: must succeed; got exit status {done.returncode}: {last[0]}")
    return text


def answers() -> bool:
    """Whether a daemon answers."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=60).returncode == 0


def start() -> bool:
    """Start a daemon on the default socket, its data in the cache; false where one answered before."""
    if answers():
        return False
    program = need("dockerd", "docker.io")
    if os.geteuid() != 0:
        raise StackError("Docker: a daemon must answer; start it, or run this as root")
    daemon = _daemon()
    data = daemon.folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for stale in ("docker.pid", "containerd/containerd.pid"):  # of a daemon that was killed
        (RUNTIME / stale).unlink(missing_ok=True)
    options = {
        "--data-root": data,
        "--exec-root": RUNTIME,
        "--pidfile": RUNTIME / "docker.pid",
        "--host": "unix:///var/run/docker.sock",
        "--log-opt": "max-size=10m",
    }
    daemon.start([program, *(f"{name}={value}" for name, value in options.items())], os.environ)
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if not daemon.pid() or time.monotonic() > deadline:
            raise StackError(f"Docker: the daemon must answer within {START_SECONDS} s; it doesn't, see {daemon.log}")
        time.sleep(0.3)
    return True


def stop() -> bool:
    """Stop the daemon that was started here, and with it its containers; false where there is none."""
    daemon = _daemon()
    running = daemon.pid() is not None
    daemon.stop()
    return running


def _daemon() -> Daemon:
    return Daemon("dockerd", cache_folder() / "docker", START_SECONDS)
