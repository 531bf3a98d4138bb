"""What a topic's task has to read, as a value: made where the run is planned, and handed to whoever computes it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from batch_layer.config import COMPRESSION
from batch_layer.raw_input import RawInput
from batch_layer.topic_task import BatchError, TopicTask
from runtime.errors import PlatformError
from runtime.storage.store import Entry


@dataclass(frozen=True)
class TopicPlan:
    """A task, its input, and the files of it to read; `known` is what the base had read, empty where all are read."""

    task: TopicTask
    source: RawInput
    files: tuple[Entry, ...]
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is new since the base."""
        return bool(self.known) and not self.files

    @property
    def waiting_bytes(self) -> int:
        """About how many bytes of raw events there are to read."""
        return sum(e.size if e.path.endswith(".json") else e.size * COMPRESSION for e in self.files)

    def of_everything(self) -> TopicPlan:
        """The plan that recomputes from all raw events."""
        return TopicPlan(self.task, self.source, self.source.files)


def plan(task: TopicTask) -> TopicPlan:
    """The plan of a task. Raises BatchError and StorageError."""
    try:
        source = RawInput.of(task.raw, task.topic, task.limit)
        if task.base is not None:
            known = json.loads(task.output.read(task.inputs(task.base)))
            same = known["source"] == task.raw.uri and known.get("rules") == task.rules and "views" in known
            files = source.since(known, known["cut"]) if same else None
            if files is not None:
                return TopicPlan(task, source, files, known)
        return TopicPlan(task, source, source.files)
    except KeyError as error:
        raise BatchError(f"'{task.inputs(task.base or '')}' must have {error}; got none") from error
    except (ValueError, OSError) as error:
        raise BatchError(str(error)) from error


def plans(tasks: list[TopicTask]) -> list[TopicPlan | str]:
    """The plans of tasks, made beside each other as each asks the stores; a text where one can't be made, and why."""

    def made(task: TopicTask) -> TopicPlan | str:
        try:
            return plan(task)
        except PlatformError as error:
            return f"{task.topic}: {' '.join(str(error).split())}"

    with ThreadPoolExecutor(max(1, len(tasks))) as threads:
        return list(threads.map(made, tasks))
