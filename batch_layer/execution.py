"""Running a batch run's tasks: by Spark, or beside each other in this process where Spark's start would cost more."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import duckdb

from batch_layer.config import SMALL_INCREMENT, SMALL_INPUT
from batch_layer.topic_plan import TopicPlan, plans
from batch_layer.topic_run import compute
from batch_layer.topic_task import BatchError, TopicResult, TopicTask
from runtime.errors import PlatformError
from runtime.settings import Settings, by_spark_submit

Outcome = TopicResult | str | None


def execute(tasks: list[TopicTask], settings: Settings) -> list[TopicResult]:
    """The results of the tasks that found something new. Raises BatchError that names every topic that failed."""
    planned = plans(tasks)
    failures = [plan for plan in planned if isinstance(plan, str)]
    if failures:
        raise BatchError("; ".join(failures))
    waiting = [plan for plan in planned if isinstance(plan, TopicPlan) and not plan.is_idle]
    outcomes = here(waiting, settings) if is_small(waiting, settings) else _by_spark(waiting, settings)
    failures = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if failures:
        raise BatchError("; ".join(failures))
    return [outcome for outcome in outcomes if isinstance(outcome, TopicResult)]


def is_small(waiting: list[TopicPlan], settings: Settings) -> bool:
    """Whether Spark's start would take longer than it saves; where it has been started, it is used."""
    if not waiting:
        return True
    if by_spark_submit() or not settings.spark_master.startswith("local"):
        return False
    most = SMALL_INCREMENT if all(plan.known for plan in waiting) else SMALL_INPUT
    return sum(plan.waiting_bytes for plan in waiting) <= most


def here(waiting: list[TopicPlan], settings: Settings) -> list[Outcome]:
    """Their outcomes, in threads: DuckDB leaves Python's lock alone while it works, so they use as many cores."""
    with ThreadPoolExecutor(_cores(settings.spark_master)) as threads:
        return list(threads.map(outcome, waiting))


def _cores(master: str) -> int:
    """How many tasks a Spark of this machine runs side by side: neither way takes more memory than the other."""
    said = re.match(r"local(?:\[(\d+|\*))?", master)
    if said and said[1] == "*":
        return os.cpu_count() or 1
    return max(1, int(said[1])) if said and said[1] else 1


def _by_spark(waiting: list[TopicPlan], settings: Settings) -> list[Outcome]:
    # Only here: reading them takes a third of a small run's start.
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from runtime.spark.session import cause, session

    topics = ", ".join(plan.task.topic for plan in waiting)
    try:
        spark = session("batch", settings)
        try:
            context = spark.sparkContext
            run, source = waiting[0].task.run, waiting[0].task.raw.uri
            context.setJobGroup(run, f"batch run {run}: rollups and views of {topics} from {source}", True)
            return context.parallelize(waiting, len(waiting)).map(outcome).collect()
        finally:
            spark.stop()
    except (PySparkException, Py4JError) as error:
        raise BatchError(f"Spark: {cause(error, 'SparkException: ')}") from error


def outcome(plan: TopicPlan) -> Outcome:
    """What came of a plan; a text where it failed, and why."""
    topic = plan.task.topic
    try:
        return compute(plan)
    except (PlatformError, OSError, duckdb.Error) as error:
        return f"{topic}: {' '.join(str(error).split())}"
    except Exception as error:  # nobody foresaw it, but it must not read as a failure of Spark
        return f"{topic}: {type(error).__name__}: {' '.join(str(error).split())}"
