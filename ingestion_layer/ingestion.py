"""Kafka's topics to raw files, exactly once, by Spark Structured Streaming.

The manifests of `commits` are the only truth: a start reads where the newest one ends and gives Spark a new checkpoint,
so there is no second record of progress that could disagree. Before it writes anything it takes over from whoever
ingested before, and removes what was written in vain. A micro-batch becomes visible to others by its one manifest.
"""

from __future__ import annotations

import signal
import tempfile
import threading
import time

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from catalogue.at_rest.erasures import Erasures, Watched, landed_without
from catalogue.at_rest.raw_files import COMMITS, Offsets
from catalogue.events.unmapped import COLLECTED
from ingestion_layer.commits import Commits, TakenOver, remove_orphans
from ingestion_layer.landing import SCHEMA, accounted, land, path_of
from ingestion_layer.metrics import IngestionMetrics
from runtime.errors import PlatformError
from runtime.kafka_offsets import starting_offsets
from runtime.logs import Log
from runtime.scratch import own_scratch
from runtime.settings import Settings
from runtime.spark.session import cause, session, stop
from runtime.spark.streaming import MicroBatches, kafka_stream
from runtime.storage.opening import open_store
from runtime.storage.store import Store

POLL_SECONDS = 1
LOG = Log("ingestion")
# Of Spark's own tasks and source only text comes: where a task's store failed, where Kafka lost records.
SIGNS = ("StorageError: ", "offsets", "Offset")


class Ingestion:
    """One ingester: from `start` on, each micro-batch lands and is committed. Only one may run at a time."""

    def __init__(self, settings: Settings, raw: Store, quarantine: Store, stopping: threading.Event):
        self.settings, self.raw, self.quarantine = settings, raw, quarantine
        self.batches = MicroBatches(self.land_batch, stopping)
        self.commits = Commits.newest(raw)
        quarantine.list(COMMITS)  # where it can't be had, that is told before anything is written
        self.expected: Offsets = starting_offsets(settings, COLLECTED, self.commits.head)
        self.erasures = Watched(raw, settings.erasure_key)
        self.erasures.now()  # the key of who was erased is missed at once
        self.metrics = IngestionMetrics()
        self.took_over = False

    def take_over(self) -> None:
        """Become the one ingester; what no commit will name is removed."""
        self.commits.take_over(self.raw)
        removed = sum(remove_orphans(store, self.commits) for store in (self.raw, self.quarantine))
        if removed:
            LOG.info("removed files that an earlier ingester had left", files=removed)
        self.took_over = True

    def start(self, spark: SparkSession, checkpoint: str, once: bool) -> StreamingQuery:
        """The running streaming query."""
        reader = kafka_stream(spark, self.settings, self.expected, self.settings.ingest_max_events)
        if not once:
            enough = min(self.settings.ingest_min_events, self.settings.ingest_max_events)
            reader = reader.option("minOffsetsPerTrigger", str(enough))
            reader = reader.option("maxTriggerDelay", f"{self.settings.ingest_max_delay_seconds}s")
        writer = reader.load().writeStream.foreachBatch(self.batches).option("checkpointLocation", checkpoint)
        return (writer.trigger(availableNow=True) if once else writer.trigger(processingTime="1 second")).start()

    def land_batch(self, batch: DataFrame, number: int) -> None:
        """Land and commit one micro-batch."""
        started = time.monotonic()
        raw, quarantine = self.raw, self.quarantine
        records = batch.select("topic", "partition", "offset", "timestamp", "value")
        if not self.took_over:
            if records.isEmpty():  # Spark hands on one without records where nothing is new
                return
            self.take_over()
        commit = self.commits.number + 1

        def made(gone: Erasures) -> list[Row]:
            tasks = records.mapInArrow(lambda batches: land(iter(batches), raw, quarantine, commit, gone), SCHEMA)
            return tasks.collect()

        rows = landed_without(self.erasures.now, made)
        if not rows:
            return
        ranges, files, ledger = accounted(rows, self.expected, commit)
        try:
            self.commits.add(raw, ranges, files, ledger)
        except TakenOver:
            for store in (raw, quarantine):
                store.delete(path_of(row, commit) for row in rows)
            raise
        for topic, bounds_of in ranges.items():
            self.expected[topic].update({partition: end for partition, (_, end) in bounds_of.items()})
        seconds = time.monotonic() - started
        self.metrics.committed(self.commits, files, seconds)
        landed = sum(f.events for f in files)
        LOG.info("committed", commit=self.commits.number, events=landed, files=len(files), seconds=seconds)


@own_scratch()
def ingest(settings: Settings, target: str, beside: str, once: bool) -> int:
    """Land what Kafka holds in `target`, rejected events in `beside`, until stopped, or until caught up where `once`.

    0 when it ended well, 1 when it can't go on: why is in the log.
    """
    checkpoint = tempfile.mkdtemp(prefix="ingestion-")
    stopping = threading.Event()  # a handler must not call Spark: the signal may come in the middle of another call
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        ingestion = Ingestion(settings, open_store(target, settings), open_store(beside, settings), stopping)
        ingestion.metrics.serve(settings, ingestion.commits, ingestion.expected)
        spark = session("ingestion", settings, kafka=True)
        query = ingestion.start(spark, checkpoint, once)
        while not ingestion.batches.wait(query, POLL_SECONDS):
            if stopping.is_set():
                ingestion.batches.end(query)
        stop(spark)
    except (StreamingQueryException, PySparkException) as error:
        return _fail(cause(error, *SIGNS))
    except (Py4JError, ConnectionError) as error:
        return 0 if stopping.is_set() else _fail(f"Spark: must go on; got {cause(error)}")
    except PlatformError as error:
        return _fail(str(error))
    return 0


def _fail(message: str) -> int:
    LOG.error("stopped", error=message)
    return 1
