"""ShellCheck over every shell script of the checkout: `python -m deployment.gate.shell_scripts`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deployment.installation import StackError
from deployment.packages import need

ROOT = Path(__file__).resolve().parents[2]


def scripts(root: Path = ROOT) -> list[str]:
    """Paths of the files that are shell scripts by their name or their first line."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (root / name).is_file() and _is_script(root / name)]


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(100)
    return path.suffix == ".sh" or (first.startswith(b"#!") and first.split()[-1].endswith(b"sh"))


def main() -> int:
    """Check them; ShellCheck's exit status, 1 where it can't be had."""
    try:
        program = need("shellcheck", "shellcheck")
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return subprocess.run([program, *scripts()], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
