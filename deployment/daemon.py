"""A process in the background that is known by a file with its id, so that a later command can stop exactly it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What a killed process may need until the machine has taken its memory and its ports back.
KILLED_SECONDS = 10


@dataclass(frozen=True)
class Daemon:
    """The process `name` of a server whose data stands in `folder`; its command line must name `sign`, or that folder.

    It is killed where it hasn't stopped within `stop_seconds`.
    """

    name: str
    folder: Path
    stop_seconds: int = 30
    sign: str = ""

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "logs" / f"{self.name}.out"

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start it, unless it runs."""
        if self.pid():
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, start_new_session=True
            )
        self._file.write_text(f"{process.pid} {_state(process.pid)[1]}")

    def stop(self) -> None:
        """Stop it and wait; kill it where it doesn't go."""
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
            if not self._is_gone_within(self.stop_seconds):
                os.kill(pid, signal.SIGKILL)
                self._is_gone_within(KILLED_SECONDS)
        self._file.unlink(missing_ok=True)

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.pid() is None

    def pid(self) -> int | None:
        """Its process id, None where it doesn't live: where its first thread is gone, others may hold its ports yet."""
        try:
            pid, began = map(int, self._file.read_text().split())
            state, since = _state(pid)
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            threads = len(os.listdir(f"/proc/{pid}/task"))
        except (OSError, ValueError):
            return None
        if state == "Z" and threads == 1:
            with contextlib.suppress(ChildProcessError):  # another process started it
                os.waitpid(pid, os.WNOHANG)
            return None
        # In a container that is made anew the ids are soon the same, and other servers of this folder have them. A
        # process
        # that begins has no command line for a moment.
        return pid if since == began and (not command or (self.sign or str(self.folder)) in command) else None

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"


def _state(pid: int) -> tuple[str, int]:
    """The state of a process and when it began, in ticks since the machine's start."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[19])
