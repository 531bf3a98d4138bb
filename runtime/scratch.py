"""Temporary files of a process, in one folder that goes with it.

What is computed of events names people, so nothing of it may outlast who needs it. A process that is killed can't
remove what it has: the next one on the machine does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "learning-analytics-"


@contextmanager
def own_scratch() -> Iterator[Path]:
    """Within, temporary files of this process, and of those that it starts, lie in a folder of their own.

    It lies in the folder that TMPDIR names. Folders whose processes have ended are removed before.
    """
    _remove_left(Path(tempfile.gettempdir()))
    folder, lock = _held_folder()
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _held_folder() -> tuple[Path, int]:
    """A new folder, and the lock on it that ends with this process; who removes one that was left has its lock too."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _remove_left(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or gone meanwhile
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
