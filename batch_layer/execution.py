"""Running a batch run's tasks: by Spark, or beside each other in this process where Spark's start would cost more."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import duckdb

from batch_layer.config import SMALL_INCREMENT
from batch_layer.topic_run import BatchError, TopicResult, TopicRun
from runtime.settings import Settings, by_spark_submit
from runtime.storage.store import StorageError

Outcome = TopicResult | str | None


def execute(tasks: list[TopicRun], settings: Settings) -> list[TopicResult]:
    """The results of the tasks that found something new. Raises BatchError that names every topic that failed."""
    outcomes = _here(tasks, settings) if _is_small(tasks, settings) else _by_spark(tasks, settings)
    failures = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if failures:
        raise BatchError("; ".join(failures))
    return [outcome for outcome in outcomes if isinstance(outcome, TopicResult)]


def _is_small(tasks: list[TopicRun], settings: Settings) -> bool:
    if by_spark_submit() or not settings.spark_master.startswith("local"):
        return False
    waiting = 0
    for task in tasks:
        new = task.new_bytes()
        if new is None:
            return False
        waiting += new
    return waiting <= SMALL_INCREMENT


def _here(tasks: list[TopicRun], settings: Settings) -> list[Outcome]:
    """DuckDB leaves Python's lock alone while it works, so threads use as many cores as there are of them."""
    with ThreadPoolExecutor(_cores(settings.spark_master)) as threads:
        return list(threads.map(_outcome, tasks))


def _cores(master: str) -> int:
    """How many tasks a Spark of this machine runs side by side, so that neither way takes more memory than the other."""
    said = re.match(r"local(?:\[(\d+|\*))?", master)
    if said and said[1] == "*":
        return os.cpu_count() or 1
    return max(1, int(said[1])) if said and said[1] else 1


def _by_spark(tasks: list[TopicRun], settings: Settings) -> list[Outcome]:
    # Only here: reading them takes a third of a small run's start.
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from runtime.spark.session import cause, session

    try:
        spark = session("batch", settings)
        try:
            return spark.sparkContext.parallelize(tasks, len(tasks)).map(_outcome).collect()
        finally:
            spark.stop()
    except (PySparkException, Py4JError) as error:
        raise BatchError(f"Spark: {cause(error, 'SparkException: ')}") from error


def _outcome(task: TopicRun) -> Outcome:
    try:
        return task.compute()
    except (BatchError, StorageError, OSError, duckdb.Error) as error:
        return f"{task.topic}: {' '.join(str(error).split())}"
    except Exception as error:  # nobody foresaw it, but it must not read as a failure of Spark
        return f"{task.topic}: {type(error).__name__}: {' '.join(str(error).split())}"
