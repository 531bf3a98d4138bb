"""The files that follow from the code: `python -m deployment.gate.derived_files [--check]`.

It prints them all, or with `--check` says which are stale.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runtime.command_line import Parser

ROOT = Path(__file__).resolve().parents[2]
# Each is a module that writes its files anew and prints their paths.
PRINTERS = (
    "catalogue.documents",
    "ingestion_layer.replay.documents",
    "deployment.kubernetes.alert_rules",
    "deployment.monitoring.dashboards",
    "deployment.command.reference",
)


def tracked(root: Path) -> dict[Path, bytes]:
    """Every file of the checkout that git knows or would add, with its content."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return {path: path.read_bytes() for path in (root / line for line in listed) if path.is_file()}


def print_all(root: Path) -> int:
    """Run every printer; the exit status of the first that fails, else 0."""
    running = [subprocess.Popen([sys.executable, "-m", name], cwd=root, stdout=subprocess.PIPE) for name in PRINTERS]
    for process in running:
        process.communicate()
    return next((p.returncode for p in running if p.returncode), 0)


def stale(root: Path) -> list[str]:
    """Paths of the files that printing would change or add; they stay as they are. RuntimeError where a printer
    fails.
    """
    before = tracked(root)
    status = print_all(root)
    after = tracked(root)
    changed = [path for path in after if before.get(path) != after[path]]
    for path in changed:
        if path in before:
            path.write_bytes(before[path])
        else:
            path.unlink()
    if status:
        raise RuntimeError(f"derived files: every printer must succeed; got exit status {status}")
    return sorted(str(path.relative_to(root)) for path in changed)


def main(argv: list[str] | None = None) -> int:
    """Print the files, or look whether they are fresh; 0 where they are."""
    parser = Parser(prog="derived_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 where a file is stale")
    if not parser.parse_args(argv).check:
        return print_all(ROOT)
    try:
        found = stale(ROOT)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for path in found:
        print(f"{path}: must be what the code prints; it is stale: run `make docs`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
