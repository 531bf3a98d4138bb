"""Temporary files go with their process: at its end, or, where it was killed, when the next one starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from runtime.scratch import own_scratch

HOLDS = """
import sys, tempfile, time
from runtime.scratch import own_scratch
with own_scratch():
    open(tempfile.mkdtemp() + "/rows", "w").write("S1")
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def parent(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holder() -> tuple[subprocess.Popen, Path]:
    """A process that has scratch until its standard input ends, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_temporary_files_lie_in_it_and_go_with_it(parent):
    with own_scratch() as folder:
        made = Path(tempfile.mkdtemp())
        assert made.parent == folder and folder.parent == parent
        assert os.environ["TMPDIR"] == str(folder)
    assert list(parent.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(parent)


def test_an_error_leaves_nothing_either(parent):
    with pytest.raises(RuntimeError), own_scratch():
        tempfile.mkdtemp()
        raise RuntimeError
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_and_what_is_used_stays(parent):
    killed, left = holder()
    other, used = holder()
    with other:
        killed.kill()
        killed.communicate(timeout=30)
        assert list(left.rglob("rows"))
        (parent / "learning-analytics-notes.txt").write_text("a file of somebody else")
        with own_scratch() as folder:
            assert sorted(parent.iterdir()) == sorted([folder, used, parent / "learning-analytics-notes.txt"])
        assert list(used.rglob("rows")), "its process runs"
        other.communicate("", timeout=30)
    assert not used.exists()


def test_one_within_another_lies_in_it(parent):
    with own_scratch() as outer:
        with own_scratch() as inner:
            assert inner.parent == outer
        assert tempfile.gettempdir() == str(outer)


def test_many_starting_at_once_each_have_their_own():
    holders = [holder() for _ in range(6)]
    assert len({folder for _, folder in holders}) == len(holders)
    assert all(list(folder.rglob("rows")) for _, folder in holders)
    for process, _ in holders:
        process.communicate("", timeout=30)
        assert process.returncode == 0
