"""A batch run's tasks: as many side by side, and with as much memory each, as the settings say."""

from __future__ import annotations

import os
import threading
import time

import pytest

from batch_layer.execution import execute
from batch_layer.run_batch_jobs import main
from runtime.settings import Settings
from tests.oracle.histories import history, write_raw


class Task:
    """A small task that notes how many run beside it."""

    topic = "auth_topic"

    def __init__(self, seen: list[int], running: list[None], lock: threading.Lock):
        self.seen, self.running, self.lock = seen, running, lock

    def new_bytes(self) -> int:
        return 0

    def compute(self) -> None:
        with self.lock:
            self.running.append(None)
            self.seen.append(len(self.running))
        time.sleep(0.1)
        with self.lock:
            self.running.pop()


@pytest.mark.parametrize(
    ("master", "most"),
    [("local", 1), ("local[1]", 1), ("local[3]", 3), ("local[2,4]", 2), ("local[*]", os.cpu_count())],
)
def test_without_spark_as_many_tasks_run_as_with_it(master, most):
    seen: list[int] = []
    shared = (seen, [], threading.Lock())
    assert execute([Task(*shared) for _ in range(6)], Settings.load({"SPARK_MASTER": master})) == []
    assert len(seen) == 6 and max(seen) == min(most, 6)


def test_a_task_takes_no_more_memory_than_the_setting_says(tmp_path, monkeypatch, capsys):
    write_raw(tmp_path / "raw", history(7, 900))
    paths = ["course", str(tmp_path / "raw"), str(tmp_path / "out")]
    monkeypatch.setenv("TASK_MEMORY", "1MB")
    assert main(paths) == 1
    assert "Out of Memory Error" in (said := capsys.readouterr().err) and "Traceback" not in said
    monkeypatch.setenv("TASK_MEMORY", "300MB")
    assert main(paths) == 0
