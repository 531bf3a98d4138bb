"""The dashboard's bundle: `python -m deployment.dashboard [check|test]`.

It is built once for its sources and kept in the cache; the serving layer finds it at `serving_layer/dashboard/built`, a
link into the cache. Packages come from the lock file; their install scripts don't run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deployment.installation import StackError, run, tool
from runtime.settings import cache_folder

SOURCES = Path(__file__).resolve().parents[1] / "serving_layer" / "dashboard"
PACKAGES = ("package.json", "package-lock.json")
NODE = "Node.js 20 or later"


def modules() -> Path:
    """Folder of the packages that the dashboard is made of and tested with, linked into its sources."""
    folder = cache_folder() / f"dashboard-packages-{_hash([SOURCES / name for name in PACKAGES])}"
    if not (folder / "node_modules").exists():
        print("dashboard: fetching packages with npm, once per machine", flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            for name in PACKAGES:
                shutil.copy(SOURCES / name, place)
            fetch = [tool("npm", NODE), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run(fetch, "dashboard", folder=Path(place))
            _move(Path(place), folder)
    _link(SOURCES / "node_modules", folder / "node_modules")
    return folder / "node_modules"


def bundle() -> Path:
    """Folder of the built dashboard: a page, a script and a style sheet."""
    files = sorted(f for f in (SOURCES / "src").rglob("*") if f.is_file())
    made_of = _hash([*files, SOURCES / "build.mjs", *(SOURCES / name for name in PACKAGES)])
    folder = cache_folder() / f"dashboard-{made_of}"
    if not folder.exists():
        modules()
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            run([tool("node", NODE), "build.mjs", f"{place}/built"], "dashboard", folder=SOURCES)
            _move(Path(place) / "built", folder)
    _link(SOURCES / "built", folder)
    return folder


def _hash(files: list[Path]) -> str:
    parts = (f"{file.relative_to(SOURCES)}\0".encode() + file.read_bytes() for file in files)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _move(made: Path, folder: Path) -> None:
    """Give a finished folder its name; another process may have been faster."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    else:
        folder.chmod(0o755)
        made.mkdir()  # what made it removes it


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink() or link.exists():
        if not link.is_symlink():
            raise StackError(f"dashboard: '{link}' must be a link that is made here; got a file or folder: remove it")
        link.unlink()
    link.symlink_to(target)


def main() -> int:
    """Build what is missing; `check` judges types, `test` runs the unit tests. 0 when all is well."""
    wanted = sys.argv[1:2]
    try:
        if wanted == ["check"] or wanted == ["test"]:
            modules()
            return subprocess.run([tool("npm", NODE), "run", "-s", *wanted], cwd=SOURCES, env=os.environ).returncode
        print(f"dashboard: {bundle()}")
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
