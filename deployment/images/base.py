"""The base of all images where no registry can be reached: Debian, bootstrapped from its packages."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from deployment.images.engine import docker
from deployment.installation import StackError
from deployment.packages import need
from runtime.settings import cache_folder

SUITE = "bookworm"
TAG = f"learning-analytics/base:{SUITE}"


def base() -> str:
    """Name of the base image, which is imported, and bootstrapped once per machine, where it is missing."""
    if not docker("images", "-q", TAG).strip():
        docker("import", "--change", 'CMD ["bash"]', str(_archive()), TAG)
    return TAG


def _archive() -> Path:
    archive = cache_folder() / "images" / f"{SUITE}.tar"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        print(f"images: bootstrapping Debian {SUITE}, once per machine (1 minute)", flush=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            part = Path(folder) / "base.tar"
            _run(
                need("debootstrap", "debootstrap"),
                "--variant=minbase",
                "--include=ca-certificates",
                SUITE,
                f"{folder}/root",
            )
            left_out = (
                "var/cache/apt/archives/*.deb",
                "var/lib/apt/lists/*",
                "dev/*",
                "usr/share/doc/*",
                "usr/share/man/*",
            )
            _run("tar", "-C", f"{folder}/root", *(f"--exclude=./{path}" for path in left_out), "-cf", str(part), ".")
            part.rename(archive)
    return archive


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["no output"]
        raise StackError(f"images: {Path(command[0]).name} must succeed; got exit status {done.returncode}: {last[0]}")
