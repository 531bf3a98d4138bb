"""The speed layer from its settings on: a Spark query over Kafka's topics, started anew whenever that is called for."""

from __future__ import annotations

import shutil
import tempfile
import threading
from typing import Any

import duckdb
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from catalogue.at_rest.runs import CURRENT, current
from runtime.errors import PlatformError
from runtime.kafka_offsets import Gap
from runtime.logs import Log
from runtime.settings import Settings
from runtime.spark.session import cause, session, stop
from runtime.spark.streaming import MicroBatches, kafka_stream
from runtime.storage.opening import open_store
from speed_layer.delta_stream import DeltaStream
from speed_layer.housekeeping import Housekeeping
from speed_layer.metrics import SpeedMetrics
from speed_layer.published_deltas import SecondWriter

LOG = Log("speed")
LOOK_SECONDS = 1
WORST_WAIT_SECONDS = 30
QUERY = "deltas"
# Spark's progress, two files and processes for each micro-batch, is written once a minute and beside the work: nobody
# reads it (ADR 0038). Spark would allow that for its Kafka sink alone, as another may be given a micro-batch twice
# after a new start; ours begins from manifests.
PROGRESS = {
    "asyncProgressTrackingEnabled": "true",
    "asyncProgressTrackingCheckpointIntervalMs": "60000",
    "_asyncProgressTrackingOverrideSinkSupportCheck": "true",
}


class StreamEnded(PlatformError):
    """Spark has ended the stream, or is gone itself."""


def run(settings: Settings, once: bool, stopping: threading.Event) -> None:
    """Keep the speed views until stopped, or with `once` until everything that waits is in a delta.

    Kafka and the store may come and go. A PlatformError says why it can't go on: a second speed layer, a gap in Kafka's
    offsets, settings; with `once` whatever a start would be tried again for.
    """
    metrics = SpeedMetrics()
    metrics.exposition.serve(settings)
    spark = session("speed", settings, kafka=True, brief=True)
    wait = 1.0
    while not stopping.is_set():
        try:
            _stream(settings, spark, once, stopping, metrics)
            wait = 1.0
        except (SecondWriter, Gap):  # that is for people to decide
            raise
        except (Py4JError, ConnectionError) as error:
            if not stopping.is_set():
                raise StreamEnded(f"Spark: must go on; got {cause(error)}") from error
        # A damaged object may be whole again later.
        except (PlatformError, PySparkException, OSError, ValueError, duckdb.Error) as error:
            told = str(error) if isinstance(error, PlatformError) else cause(error)
            if once:
                raise error if isinstance(error, PlatformError) else StreamEnded(told) from error
            LOG.warning("tries again", error=told, wait_seconds=wait)
            stopping.wait(wait)
        wait = min(wait * 2, WORST_WAIT_SECONDS)
    stop(spark)


def _stream(
    settings: Settings, spark: SparkSession, once: bool, stopping: threading.Event, metrics: SpeedMetrics
) -> None:
    """Stream from where the published run and the deltas say, until stopped or what is published needs a new start."""
    speed, batch = open_store(settings.speed_views, settings), open_store(settings.batch_views, settings)
    tag = batch.etag(CURRENT)
    stream = DeltaStream(settings, speed, batch, metrics=metrics)
    checkpoint = tempfile.mkdtemp(prefix="speed-")
    housekeeping = None if once else Housekeeping(stream, batch, metrics)
    batches = MicroBatches(stream.take, stopping)
    try:
        query = _query(spark, stream, batches, checkpoint, once)
        if housekeeping:
            housekeeping.start()
        while not batches.wait(query, LOOK_SECONDS):
            if stopping.is_set():
                return
            newest = batch.etag(CURRENT)
            if newest != tag:
                tag = newest
                if not stream.leads_on_from(current(batch)[0]):
                    LOG.info("starts anew from what is published")
                    return
        if once:
            stopping.set()
    finally:
        if housekeeping:
            housekeeping.stop()
        for active in spark.streams.active:
            batches.end(active)
        stream.close()
        shutil.rmtree(checkpoint, ignore_errors=True)


def _query(spark: SparkSession, stream: DeltaStream, batches: MicroBatches, checkpoint: str, once: bool) -> Any:
    """The running query that gives `stream` its micro-batches."""
    settings = stream.settings
    reader = kafka_stream(spark, settings, stream.head, settings.speed_max_events)
    writer = reader.load().writeStream.queryName(QUERY).foreachBatch(batches).option("checkpointLocation", checkpoint)
    if once:
        return writer.trigger(availableNow=True).start()
    return writer.options(**PROGRESS).trigger(processingTime=f"{settings.trigger_seconds} seconds").start()
