"""A batch run's tasks: as many side by side, and with as much memory each, as the settings say."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from batch_layer import execution
from batch_layer.config import SMALL_INPUT
from batch_layer.raw_input import RawInput
from batch_layer.report import Report
from batch_layer.run_batch_jobs import main
from batch_layer.steps import Inbox
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import TopicTask
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Entry
from tests.oracle.histories import history, write_raw


@dataclass
class Sleeper:
    """A task that notes how many run beside it."""

    key: str
    seen: list[int]
    running: list[None]
    lock: threading.Lock

    def run(self, inbox: Inbox) -> Iterator[Report]:
        with self.lock:
            self.running.append(None)
            self.seen.append(len(self.running))
        time.sleep(0.1)
        with self.lock:
            self.running.pop()
        yield Report(self.key)


@pytest.mark.parametrize(
    ("master", "most"),
    [("local", 1), ("local[1]", 1), ("local[3]", 3), ("local[2,4]", 2), ("local[*]", os.cpu_count())],
)
def test_without_spark_as_many_tasks_run_as_with_it(master, most):
    seen: list[int] = []
    shared = (seen, [], threading.Lock())
    with execution.here(Settings.load({"SPARK_MASTER": master})) as engine:
        reports = engine([[Sleeper(str(number), *shared) for number in range(6)]])
    assert len(reports) == len(seen) == 6 and max(seen) == min(most, 6)


@pytest.mark.parametrize(
    ("size", "known", "small"),
    [
        (SMALL_INPUT, {}, True),
        (SMALL_INPUT + 1, {}, False),
        (SMALL_INPUT, {"cut": {}}, True),
        (SMALL_INPUT + 1, {"cut": {}}, False),
    ],
)
def test_what_is_small_starts_no_spark(size, known, small, tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    task = TopicTask("auth_topic", "r1", "r0" if known else None, store, store, 7)
    files = (Entry("topic=auth_topic/date=2026-03-01/a.json", size - 800, ""),)
    files += (Entry("topic=auth_topic/date=2026-03-01/b.json.gz", 100, ""),)
    plans = [TopicPlan(task, RawInput(files, None), files, known)]
    assert execution.is_small(plans, Settings.load({})) is small
    assert not execution.is_small(plans, Settings.load({"SPARK_MASTER": "spark://host:7077"}))
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert not execution.is_small(plans, Settings.load({})), "spark-submit has started one"


def test_a_task_takes_no_more_memory_than_the_setting_says(tmp_path, monkeypatch, capsys):
    write_raw(tmp_path / "raw", history(7, 900))
    paths = ["course", str(tmp_path / "raw"), str(tmp_path / "out")]
    monkeypatch.setenv("TASK_MEMORY", "1MB")
    assert main(paths) == 1
    assert "Out of Memory Error" in (said := capsys.readouterr().err) and "Traceback" not in said
    monkeypatch.setenv("TASK_MEMORY", "300MB")
    assert main(paths) == 0
