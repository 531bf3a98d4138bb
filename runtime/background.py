"""What a process does again and again beside its work, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.logs import Log

# A step takes longer than this only where something outside doesn't answer; the thread ends with the process anyway.
STOP_SECONDS = 30.0


class Background:
    """Does `step` at once and then every `seconds` until stopped; a step may say itself in how many it wants the next.
    After an error the next comes in `retry_seconds`, where that is another pause.

    An error ends a step, never the thread or the process: it is told in the log when it is another than that of the
    step before. `problem` is what went wrong with the last step, None where nothing did.
    """

    def __init__(
        self, name: str, log: Log, step: Callable[[], float | None], seconds: float, retry_seconds: float | None = None
    ) -> None:
        self.name, self.seconds = name, seconds
        self.retry_seconds = seconds if retry_seconds is None else retry_seconds
        self.problem: str | None = None
        self.stopping = threading.Event()
        self._log, self._step = log, step
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    @property
    def runs(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do no further step, and wait for the running one."""
        self.stopping.set()
        if self.runs and threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                asked = self._step()
                pause = self.seconds if asked is None else asked
            except Exception as error:  # whatever it is, the process has other work
                self._tell(f"{type(error).__name__}: {error}".splitlines()[0])
                pause = self.retry_seconds
            else:
                self.problem = None
            self.stopping.wait(pause)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self._log.warning("background work failed", work=self.name, error=problem)
        self.problem = problem
