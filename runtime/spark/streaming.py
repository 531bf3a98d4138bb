"""Kafka's records as a stream of micro-batches."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.readwriter import DataStreamReader

from runtime.errors import PlatformError
from runtime.kafka_access import java_access
from runtime.kafka_offsets import Offsets
from runtime.settings import Settings


def kafka_stream(spark: SparkSession, settings: Settings, starting: Offsets, most: int) -> DataStreamReader:
    """A reader of topics from the offsets `starting` on, at most `most` in a micro-batch; a gap is an error."""
    return spark.readStream.format("kafka").options(
        **{
            **{f"kafka.{name}": value for name, value in java_access(settings).items()},
            "subscribe": ",".join(starting),
            "startingOffsets": json.dumps(starting),
            "failOnDataLoss": "true",
            # Spark asks for a partition's ends after each fetch, on a connection on which a consumer has sent its next
            # fetch already: the broker answers one after the other, and would wait with that for records to come.
            "kafka.fetch.max.wait.ms": "0",
            "kafka.max.partition.fetch.bytes": str(8 * 2**20),
            "kafka.max.poll.records": "20000",
            "maxOffsetsPerTrigger": str(most),
        }
    )


def interpret_plans(spark: SparkSession, few: bool) -> None:
    """Whether the plans that follow are for `few` rows: then writing code for each costs more than interpreting it.

    Kafka's source writes the code of two projections for every partition of every micro-batch, if not told otherwise.
    """
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if few else "FALLBACK")
    spark.conf.set("spark.sql.codegen.wholeStage", "false" if few else "true")


class MicroBatches:
    """Hands the micro-batches of a query to `take` until the end, which waits for the running one.

    A query that is stopped in the middle of one is interrupted, and Spark then searches the error's text by a regular
    expression that overflows its stack. What comes after the end is left to the next start.

    An error of the platform's own that `take` raises ends the query. To Spark it is text; `wait` raises it as it was.
    A signal to the whole process group is one to Spark's JVM too: what fails once `stopping` is set is left to the next
    start.
    """

    def __init__(self, take: Callable[[Any, int], None], stopping: threading.Event):
        self._take, self._stopping = take, stopping
        self._running, self._ended = threading.Lock(), False
        self._error: PlatformError | None = None

    def __call__(self, batch: Any, number: int) -> None:
        with self._running:
            if not self._ended:
                try:
                    self._take(batch, number)
                except PlatformError as error:
                    self._error = error
                    raise
                except Exception:  # of whatever type a call of a JVM is that has gone
                    if not self._stopping.is_set():
                        raise
                    self._ended = True

    def wait(self, query: Any, seconds: float) -> bool:
        """Whether the query ends within so many seconds. Raises its error: ours, or StreamingQueryException."""
        try:
            return bool(query.awaitTermination(seconds))
        except StreamingQueryException as error:
            raise self._error or error from error

    def end(self, query: Any) -> None:
        """Take no more, and stop the query."""
        self._ended = True
        with self._running:
            pass
        query.stop()
