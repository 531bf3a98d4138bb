"""The first lines of commit messages: `python -m deployment.gate.commit_subjects [--message FILE]`.

Without a file they are those of the commits since `BASE`, the first for which this was asked.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runtime.command_line import Parser

ROOT = Path(__file__).resolve().parents[2]
BASE = "a9412fe69c19"
LONGEST = 72


def problem(subject: str) -> str:
    """What is wrong with a subject, or the empty string."""
    if not subject.strip():
        return "a commit's subject must not be empty"
    if len(subject) > LONGEST:
        return f"a commit's subject must have at most {LONGEST} characters; got {len(subject)}: {subject!r}"
    return ""


def subjects(root: Path = ROOT, base: str = BASE) -> list[str]:
    """The subjects since `base`; of the newest commit alone where the clone doesn't reach so far back."""
    known = _git(root, "merge-base", "--is-ancestor", base, "HEAD").returncode == 0
    return _git(root, "log", "--format=%s", *([f"{base}..HEAD"] if known else ["-1"])).stdout.splitlines()


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)


def main(argv: list[str] | None = None) -> int:
    """Say what is wrong; 0 where nothing is."""
    parser = Parser(prog="commit_subjects", description=__doc__)
    parser.add_argument("--message", type=Path, metavar="FILE", help="the message of a commit that is being made")
    file = parser.parse_args(argv).message
    found = file.read_text(encoding="utf-8").split("\n")[:1] if file else subjects()
    problems = [told for told in map(problem, found) if told]
    for told in problems:
        print(told, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
