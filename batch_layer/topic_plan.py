"""What a topic's task has to read and into how many parts its work is cut, as a value: made where the run is planned,
and handed to whoever computes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from batch_layer.config import BUCKET_BYTES, COMPRESSION, SLICE_BYTES
from batch_layer.raw_input import RawInput
from batch_layer.topic_task import BatchError, TopicTask
from catalogue.at_rest.runs import STATE_FORM
from catalogue.views.view import View
from runtime.errors import PlatformError
from runtime.storage.store import Entry


@dataclass(frozen=True)
class TopicPlan:
    """A task, its input, and the files of it to read; `known` is what the base had read, empty where all are read.

    `slice_bytes` is about how many bytes of raw events one task reads where one bucket takes them all.
    """

    task: TopicTask
    source: RawInput
    files: tuple[Entry, ...]
    known: dict[str, Any] = field(default_factory=dict)
    buckets: int = 1
    slice_bytes: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is new since the base."""
        return bool(self.known) and (not self.files or self.source.head == self.cut)

    @property
    def cut(self) -> dict[str, int]:
        """First offsets that the base doesn't cover."""
        return dict(self.known.get("cut", {}))

    @property
    def waiting_bytes(self) -> int:
        """About how many bytes of raw events there are to read."""
        return sum(map(_events_bytes, self.files))

    @property
    def is_whole(self) -> bool:
        """Whether one task does it all."""
        return self.buckets == 1 and len(self.slices) == 1

    @property
    def slices(self) -> list[tuple[Entry, ...]]:
        """The files in groups, one at least: of about SLICE_BYTES, but as told where one bucket takes them all."""
        told = self.slice_bytes if self.buckets == 1 else 0
        return list(in_groups(self.files, max(told, SLICE_BYTES))) or [()]

    def of_everything(self) -> TopicPlan:
        """The plan that recomputes from all raw events."""
        whole = TopicPlan(replace(self.task, base=None), self.source, self.source.files, slice_bytes=self.slice_bytes)
        return replace(whole, buckets=max(1, -(-whole.waiting_bytes // BUCKET_BYTES)))

    def for_tasks(self) -> TopicPlan:
        """The plan without the lists of files, which each task has for itself."""
        known = {key: value for key, value in self.known.items() if key != "files"}
        return replace(self, source=replace(self.source, files=()), files=(), known=known)

    def base_files(self, bucket: int) -> dict[str, list[str]] | None:
        """The base's state files of a bucket by name; None where there is no base."""
        if not self.known:
            return None
        return {name: buckets[str(bucket)] for name, buckets in self.known["states"].items()}

    def knows(self, view: View) -> bool:
        """Whether the base has made the view by the same SELECT."""
        return bool(self.known.get("views", {}).get(view.name) == text_of(view))

    def covers(self, cut: dict[str, int], ledger: dict[str, dict[str, int]], states: dict[str, Any]) -> dict[str, Any]:
        """What a later run has to know of this one."""
        found = {
            "form": STATE_FORM,
            "source": self.task.raw.uri,
            "cut": cut,
            "ledger": ledger,
            "rules": self.task.rules,
        }
        found |= {"buckets": self.buckets, "states": states, "views": {v.name: text_of(v) for v in self.task.views}}
        return found | self.source.described()


def text_of(view: View) -> str:
    """The same for the same SELECT."""
    return sha256(view.sql.encode()).hexdigest()[:16]


def _events_bytes(entry: Entry) -> int:
    return entry.size if entry.path.endswith(".json") else entry.size * COMPRESSION


def in_groups(files: tuple[Entry, ...], most: int, most_files: int = sys.maxsize) -> Iterator[tuple[Entry, ...]]:
    """Files in groups of at most so many bytes of raw events, or of one file, and of at most so many files."""
    group: list[Entry] = []
    size = 0
    for file in files:
        if group and (size + _events_bytes(file) > most or len(group) == most_files):
            yield tuple(group)
            group, size = [], 0
        group.append(file)
        size += _events_bytes(file)
    if group:
        yield tuple(group)


def spread(waiting: Sequence[TopicPlan], cores: int) -> list[TopicPlan]:
    """The plans for so many cores, the largest first: a topic of one bucket has no more slices than keep all of them
    at work, as what one task reads need not be handed on.
    """
    share = sum(plan.waiting_bytes for plan in waiting) // cores
    return [replace(p, slice_bytes=share) for p in sorted(waiting, key=lambda p: -p.waiting_bytes)]


def plan(task: TopicTask) -> TopicPlan:
    """The plan of a task. Raises BatchError and StorageError."""
    try:
        source = RawInput.of(task.raw, task.topic, task.limit)
        if task.base is not None:
            known = json.loads(task.output.read(task.inputs(task.base)))
            if known.get("form") == STATE_FORM and known["source"] == task.raw.uri and known["rules"] == task.rules:
                files = source.since(known, known["cut"])
                if files is not None:
                    return TopicPlan(task, source, files, known, known["buckets"])
        return TopicPlan(task, source, ()).of_everything()
    except KeyError as error:
        raise BatchError(f"'{task.inputs(task.base or '')}' must have {error}; got none") from error
    except (ValueError, AttributeError, OSError) as error:
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
