"""A subject that is too long or missing is named with its length; commits from before the rule are left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deployment.gate.commit_subjects import LONGEST, main, problem, subjects


@pytest.mark.parametrize("length", [1, LONGEST])
def test_a_subject_of_that_length_is_right(length):
    assert problem("x" * length) == ""


def test_what_is_wrong_is_told(tmp_path, capsys):
    message = tmp_path / "message"
    message.write_text("y" * 73 + "\n\nA body may be as long as it likes" + "z" * 200)
    assert main(["--message", str(message)]) == 1
    assert "must have at most 72 characters; got 73: 'yyy" in capsys.readouterr().err
    message.write_text("\nbody")
    assert main(["--message", str(message)]) == 1
    assert "must not be empty" in capsys.readouterr().err


def test_subjects_are_those_since_the_base(tmp_path):
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@localhost", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    for subject in ("before", "base", "first", "second"):
        git("commit", "-q", "--allow-empty", "-m", subject)
    base = git("rev-parse", "HEAD~2")
    assert subjects(tmp_path, base) == ["second", "first"]
    git("clone", "-q", "--depth=1", Path(tmp_path).as_uri(), str(tmp_path / "shallow"))
    assert subjects(tmp_path / "shallow", base) == ["second"]
