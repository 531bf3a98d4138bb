"""How much of a run's tasks is done, as whoever started it on a terminal sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runtime.background import Background
from runtime.logs import Log
from runtime.progress import shown

LOOK_SECONDS = 0.5
LOG = Log("batch")


class Share:
    """The percentage of the tasks that are known so far; where nobody looks, nothing is asked for."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.tasks = self.ended = 0
        self._shown = shown()
        self.tell()

    def expect(self, tasks: int) -> None:
        """So many more are to be done."""
        self.tasks += tasks

    def tell(self, ended: int = 0) -> None:
        """So many are done."""
        self.ended = ended
        if self._shown:
            self._shown(self.what, f"{100 * ended // self.tasks} %" if self.tasks else "")

    def one_more(self) -> None:
        """Another one is done."""
        self.tell(self.ended + 1)

    @contextmanager
    def of_spark(self, context: Any, group: str) -> Iterator[None]:
        """Ask Spark meanwhile how many tasks of the jobs of `group` it has done."""
        tracker = context.statusTracker()

        def look() -> None:
            jobs = filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(group)))
            stages = [tracker.getStageInfo(stage) for job in jobs for stage in job.stageIds]
            self.tell(sum(stage.numCompletedTasks for stage in stages if stage))

        looking = Background("progress", LOG, look, LOOK_SECONDS)
        if self._shown:
            looking.start()
        try:
            yield
        finally:
            looking.stop()
        self.tell(self.tasks)
