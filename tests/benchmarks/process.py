"""Running a command as a whole process: its seconds, and the peak memory of it and all its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.5  # telling the pages of large processes takes a part of a core


@dataclass
class Measured:
    """A command's wall seconds; peak memory in GB (proportional set size) of all its processes and of the largest one;
    the most that stood at once, in GB, in its tasks' scratch folder, and in that of Spark's shuffle.
    """

    seconds: float = 0.0
    memory: float = 0.0
    largest: float = 0.0
    scratch: float = 0.0
    shuffled: float = 0.0


def watched(command: list[str], environ: dict[str, str] | None = None) -> Measured:
    """Run a command with scratch folders of its own, and watch it. Raises on failure."""
    found = Measured()
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as shuffled:
        environ = {**(environ or os.environ), "TMPDIR": scratch, "SPARK_LOCAL_DIRS": shuffled}

        def look(pids: list[int]) -> None:
            each = [memory_of(pid) / 1e9 for pid in pids]
            found.memory, found.largest = max(found.memory, sum(each)), max(found.largest, *each)
            found.scratch = max(found.scratch, _gigabytes(scratch))
            found.shuffled = max(found.shuffled, _gigabytes(shuffled))

        found.seconds, _ = measured(command, environ, look)
    return found


def _gigabytes(root: str) -> float:
    """Of the files below a folder."""
    sizes = 0
    for folder, _, names in os.walk(root):  # whatever goes meanwhile
        for name in names:
            with suppress(OSError):
                sizes += os.lstat(os.path.join(folder, name)).st_size
    return sizes / 1e9


def measured(
    command: list[str], environ: dict[str, str] | None = None, look: Callable[[list[int]], None] | None = None
) -> tuple[float, float]:
    """Wall seconds, and peak memory of the process tree in GB (proportional set size). Raises on failure."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(SAMPLE_SECONDS)
                break
            pids = tree(process.pid)
            peak = max(peak, sum(map(memory_of, pids)))
            if look:
                look(pids)
    finally:
        for pid in tree(process.pid) if process.poll() is None else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    seconds = time.monotonic() - started
    said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}: {said[-500:]}")
    return seconds, peak / 1e9


def tree(pid: int) -> list[int]:
    """A process and all that it and its children have started, itself first."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def memory_of(pid: int) -> int:
    """Bytes of a process, its part of shared pages among them."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
