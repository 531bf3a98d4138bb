"""Programs that come as Debian packages: found, or installed where this process may do that."""

from __future__ import annotations

import os
import shutil
import subprocess

from deployment.installation import StackError, one_at_a_time


def need(program: str, package: str) -> str:
    """Path of `program`; as root on Debian `package` is installed for it, elsewhere StackError says what to install."""
    found = shutil.which(program)
    if found:
        return found
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        raise StackError(f"'{program}' must be on the PATH: install Debian's package '{package}' or what corresponds")
    with one_at_a_time("packages"):  # apt fails where another one runs
        print(f"{program}: installing Debian's package {package}", flush=True)
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in ([apt, "update", "-q"], [apt, "install", "-q", "-y", "--no-install-recommends", package]):
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        found = shutil.which(program)
    if not found:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise StackError(f"'{program}': apt-get install {package} must bring it; got {last[0]}")
    return found
