"""Packages of npm as a lock file pins them, fetched once per machine into the cache, without their install scripts."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from deployment.installation import run, tool
from runtime.settings import cache_folder

PACKAGES = ("package.json", "package-lock.json")
NODE = "Node.js 20 or later"


def installed(sources: Path, name: str) -> Path:
    """The folder with `node_modules` of what the lock file in `sources` pins; `name` is what it is called."""
    content = b"\0".join((sources / file).read_bytes() for file in PACKAGES)
    folder = cache_folder() / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not (folder / "node_modules").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            made = Path(place, "made")
            made.mkdir()
            for file in PACKAGES:
                shutil.copy(sources / file, made)
            run([tool("npm", NODE), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], name, folder=made)
            try:
                made.rename(folder)
            except OSError:  # another process was faster
                if not folder.exists():
                    raise
    return folder
