"""A worker of Python that dies once ends no run on one machine; what fails again is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from runtime.settings import Settings
from runtime.spark.session import session


@pytest.fixture
def spark() -> Iterator[SparkSession]:
    running = session("tasks", Settings.load({"SPARK_MASTER": "local[2]"}))
    try:
        yield running
    finally:
        running.stop()


def test_a_task_whose_worker_dies_is_tried_again(spark, tmp_path):
    def work(number: int) -> int:
        if number == 1:
            Path(tmp_path / f"try-{os.getpid()}").touch()
            if len(list(tmp_path.iterdir())) == 1:
                os._exit(1)
        return number

    numbers = spark.sparkContext.parallelize(range(3), 3)
    assert numbers.map(work).collect() == [0, 1, 2]
    with pytest.raises(Py4JJavaError, match="failed 2 times"):
        numbers.map(lambda number: os._exit(1)).collect()
