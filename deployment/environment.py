"""The virtual environment of this checkout: `python3 -m deployment.environment` makes it and prints where it is.

What `config/requirements-dev.txt` names is installed once per machine, into a folder of the cache whose name tells that
file's content; every checkout on the machine shares it. `.venv` in the checkout adds what is the checkout's own: the
project, installed as editable, and the scripts. It is ready where it was made from the same content for the same place.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deployment.installation import one_at_a_time
from runtime.errors import PlatformError
from runtime.settings import cache_folder

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "config" / "requirements-dev.txt"
# What an editable install is made from: its metadata and its commands.
SOURCES = (LOCK, ROOT / "pyproject.toml", ROOT / "config" / "requirements.in", Path(__file__))
OLDEST = (3, 11)
# Scripts of a virtual environment itself, which every one has of its own.
OWN = ("activate", "Activate", "python", "pip")


class EnvironmentProblem(PlatformError):
    """The environment can't be made; the message is one line for people."""


def shared() -> Path:
    """The folder of the third-party packages, installed where they are not there yet."""
    folder = cache_folder() / f"venv-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    with one_at_a_time(folder.name):  # two checkouts may ask at once
        if not (folder / ".ready").exists():
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([_python(folder), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(LOCK)])
            (folder / ".ready").touch()
    return folder


def own(packages: Path, folder: Path = ROOT / ".venv") -> Path:
    """This checkout's environment over the shared `packages`, made anew where it isn't as it must be."""
    stamp = f"{packages}\n{folder}\n{_content()}\n"
    ready = folder / ".ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        _run([_python(packages), "-m", "venv", "--without-pip", str(folder)])
        (libraries,) = packages.glob("lib/python3*/site-packages")
        (here,) = folder.glob("lib/python3*/site-packages")
        (here / "shared_packages.pth").write_text(f"{libraries}\n", encoding="utf-8")
        _scripts(packages / "bin", folder / "bin")
        options = ["-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
        _run([_python(folder), "-m", "pip", "install", *options, "-e", str(ROOT)])
        ready.write_text(stamp, encoding="utf-8")
    return folder


def _content() -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in SOURCES)).hexdigest()


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")


def _scripts(shared: Path, own: Path) -> None:
    """The shared packages' programs, run by this checkout's Python."""
    old, new = str(shared / "python").encode(), str(own / "python").encode()
    for script in sorted(shared.iterdir()):
        if script.is_dir() or script.name.startswith(OWN):
            continue
        first, end, rest = script.read_bytes().partition(b"\n")
        if first.startswith(b"#!" + old):
            (own / script.name).write_bytes(b"#!" + new + end + rest)
            (own / script.name).chmod(0o755)
        else:
            (own / script.name).symlink_to(script)


def _run(command: Sequence[str]) -> None:
    """Run a command, what it prints on standard error."""
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise EnvironmentProblem(f"environment: '{' '.join(command[:4])} …' must succeed; got the failure above")


def main() -> int:
    """Make what is missing and print the folder; 0 where it is ready."""
    try:
        if sys.version_info < OLDEST:
            raise EnvironmentProblem(f"environment: Python must be 3.11 or later; got {sys.version.split()[0]}")
        print(own(shared()))
    except (EnvironmentProblem, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
