"""Superset in a virtual environment of its own, once per machine: nothing of it is a part of the project's packages."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from deployment.installation import one_at_a_time
from runtime.settings import cache_folder

PACKAGES = Path(__file__).with_name("requirements.txt")


def superset() -> Path:
    """The folder of its programs, installed where they are not there yet, which takes minutes."""
    folder = cache_folder() / f"superset-{hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:12]}"
    with one_at_a_time(folder.name):
        if not (folder / ".ready").exists():
            print("Superset: installing, once per machine", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", str(PACKAGES)], check=True)
            (folder / ".ready").touch()
    return folder / "bin"
