"""Running a command as a whole process: its seconds, and the peak memory of it and all its children."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

SAMPLE_SECONDS = 0.1


def measured(command: list[str], environ: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall seconds, and peak memory of the process tree in GB (proportional set size). Raises on failure."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_memory(pid) for pid in _tree(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - started
    said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}: {said[-500:]}")
    return seconds, peak / 1e9


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def _memory(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
