"""Running a batch run's tasks: by Spark, or beside each other in this process where Spark's start would cost more."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from batch_layer.config import SMALL_INPUT
from batch_layer.report import Report
from batch_layer.share import Share
from batch_layer.steps import Round, by_spark, in_threads
from batch_layer.topic_plan import TopicPlan, plans, spread
from batch_layer.topic_run import computed
from batch_layer.topic_task import BatchError, TopicResult, TopicTask
from runtime.settings import Settings
from runtime.spark.submitted import by_spark_submit

Engine = Callable[[Sequence[Round]], list[Report]]


def execute(tasks: list[TopicTask], settings: Settings) -> list[TopicResult]:
    """The results of the tasks that found something new. Raises BatchError that names every topic that failed."""
    planned = plans(tasks)
    failures = [plan for plan in planned if isinstance(plan, str)]
    if failures:
        raise BatchError("; ".join(failures))
    waiting = [plan for plan in planned if isinstance(plan, TopicPlan) and not plan.is_idle]
    if not waiting:
        return []
    if _on_this_machine(settings):
        waiting = spread(waiting, cores(settings.spark_master))
    share = Share(f"computing the views of {len(waiting)} topics")
    with here(settings, share) if is_small(waiting, settings) else on_spark(waiting, settings, share) as engine:
        return computed(waiting, engine)


def is_small(waiting: list[TopicPlan], settings: Settings) -> bool:
    """Whether Spark's start would take longer than it saves; where it has been started, it is used."""
    return _on_this_machine(settings) and sum(plan.waiting_bytes for plan in waiting) <= SMALL_INPUT


def _on_this_machine(settings: Settings) -> bool:
    return not by_spark_submit() and settings.spark_master.startswith("local")


@contextmanager
def here(settings: Settings, share: Share | None = None) -> Iterator[Engine]:
    """DuckDB leaves Python's lock alone while it works, so threads use as many cores as there are of them."""
    counted = share or Share("computing")
    with tempfile.TemporaryDirectory(prefix="batch-") as scratch:

        def engine(rounds: Sequence[Round]) -> list[Report]:
            counted.expect(sum(map(len, rounds)))
            return in_threads(rounds, cores(settings.spark_master), Path(scratch), counted.one_more)

        yield engine


def cores(master: str) -> int:
    """How many tasks a Spark of this machine runs side by side: neither way takes more memory than the other."""
    said = re.match(r"local(?:\[(\d+|\*))?", master)
    if said and said[1] == "*":
        return os.cpu_count() or 1
    return max(1, int(said[1])) if said and said[1] else 1


@contextmanager
def on_spark(waiting: list[TopicPlan], settings: Settings, share: Share) -> Iterator[Engine]:
    # Only here: reading them takes a third of a small run's start.
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from runtime.spark.session import cause, session

    topics = ", ".join(plan.task.topic for plan in waiting)
    run, source = waiting[0].task.run, waiting[0].task.raw.uri
    try:
        spark = session("batch", settings)

        def engine(rounds: Sequence[Round]) -> list[Report]:
            share.expect(sum(map(len, rounds)))
            with share.of_spark(spark.sparkContext, run):
                return by_spark(spark.sparkContext, rounds)

        try:
            spark.sparkContext.setJobGroup(run, f"batch run {run}: rollups and views of {topics} from {source}", True)
            yield engine
        finally:
            spark.stop()
    except (PySparkException, Py4JError) as error:
        raise BatchError(f"Spark: {cause(error, 'SparkException: ')}") from error
