"""Kafka's six topics to raw files, exactly once, by Spark Structured Streaming.

The manifests of `commits` are the only truth: a start reads where the newest one ends and gives Spark a new checkpoint,
so there is no second record of progress that could disagree. Before it writes anything it takes over from whoever
ingested before, and removes what was written in vain. A micro-batch becomes visible to others by its one manifest.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
import time

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.raw_files import COMMITS, CommittedFile, Offsets, Ranges, RawName
from catalogue.events import TOPICS
from ingestion_layer.commits import Commits, IngestError, TakenOver, remove_orphans
from ingestion_layer.landing import SCHEMA, land
from ingestion_layer.metrics import IngestionMetrics
from runtime.command_line import Parser
from runtime.kafka_offsets import OffsetError, starting_offsets
from runtime.logs import Log, configure
from runtime.settings import Settings, SettingsError
from runtime.spark.session import MissingJars, cause, session, stop
from runtime.spark.streaming import MicroBatches, kafka_stream
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store

POLL_SECONDS = 1
LOG = Log("ingestion")
SIGNS = ("IngestError: ", "TakenOver: ", "OffsetError: ", "StorageError: ", "offsets", "Offset")


class Ingestion:
    """One ingester: from `start` on, each micro-batch lands and is committed. Only one may run at a time."""

    def __init__(self, settings: Settings, raw: Store, quarantine: Store):
        self.settings, self.raw, self.quarantine = settings, raw, quarantine
        self.batches = MicroBatches(self.land_batch)
        self.commits = Commits.newest(raw)
        quarantine.list(COMMITS)  # where it can't be had, that is told before anything is written
        self.expected: Offsets = starting_offsets(settings, TOPICS, self.commits.head)
        self.metrics = IngestionMetrics()
        self.took_over = False

    def take_over(self) -> None:
        """Become the one ingester; what no commit will name is removed."""
        self.commits.take_over(self.raw)
        removed = sum(remove_orphans(store, self.commits) for store in (self.raw, self.quarantine))
        if removed:
            LOG.info("removed files that an earlier ingester had left", files=removed)
        self.took_over = True

    def start(self, spark: SparkSession, checkpoint: str, once: bool):
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
        rows = records.mapInArrow(lambda batches: land(iter(batches), raw, quarantine, commit), SCHEMA).collect()
        if not rows:
            return
        ranges: Ranges = {}
        ledger: Ledger = {}
        files = []
        for row in sorted(rows, key=lambda r: (r.topic, r.partition, r.first)):
            partition = str(row.partition)
            start = self.expected[row.topic].get(partition, 0)
            bounds = ranges.setdefault(row.topic, {}).setdefault(partition, [start, start])
            bounds[1] = max(bounds[1], row.last + 1)
            names = ("read", "landed", "unparseable", "invalid")
            entry = ledger.setdefault(row.topic, {}).setdefault(partition, dict.fromkeys(names, 0))
            for name, count in zip(names, (row.read, row.events, row.unparseable, row.invalid), strict=True):
                entry[name] += count
            if row.events:
                path = RawName(row.topic, row.day, row.partition, row.first, row.last, commit).path
                files.append(CommittedFile(path, row.topic, row.partition, row.first, row.last, row.events, row.bytes))
        try:
            self.commits.add(raw, ranges, files, ledger)
        except TakenOver:
            written = [RawName(r.topic, r.day, r.partition, r.first, r.last, commit).path for r in rows]
            for store in (raw, quarantine):
                store.delete(written)
            raise
        for topic, bounds_of in ranges.items():
            self.expected[topic].update({partition: end for partition, (_, end) in bounds_of.items()})
        seconds = time.monotonic() - started
        self.metrics.committed(self.commits, files, seconds)
        landed = sum(f.events for f in files)
        LOG.info("committed", commit=self.commits.number, events=landed, files=len(files), seconds=seconds)


def main(argv: list[str] | None = None, description: str = "Land raw events.", to_hdfs: bool = False) -> int:
    """Ingest until stopped, or until caught up with `--once`; 0 when it ended well.

    `to_hdfs` takes HDFS_MASTER_DATASET for the raw events and a folder beside it for the quarantine.
    """
    parser = Parser(description=description)
    parser.add_argument("--once", action="store_true", help="stop when everything that waits is landed")
    options = parser.parse_args(argv)
    checkpoint = tempfile.mkdtemp(prefix="ingestion-")
    stopping = threading.Event()  # a handler must not call Spark: the signal may come in the middle of another call
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = Settings.load()
        configure(settings)
        target, beside = settings.master_dataset, settings.quarantine
        if to_hdfs:
            target, beside = settings.hdfs_master_dataset, _beside(settings.hdfs_master_dataset)
        raw, quarantine = open_store(target, settings), open_store(beside, settings)
        ingestion = Ingestion(settings, raw, quarantine)
        ingestion.metrics.serve(settings, ingestion.commits, ingestion.expected)
        spark = session("ingestion", settings, kafka=True)
        query = ingestion.start(spark, checkpoint, options.once)
        while not query.awaitTermination(POLL_SECONDS):
            if stopping.is_set():
                ingestion.batches.end(query)
        stop(spark)
    except (IngestError, OffsetError, StorageError, SettingsError, MissingJars) as error:
        return _fail(str(error))
    except (StreamingQueryException, PySparkException) as error:
        return _fail(cause(error, *SIGNS))
    except (Py4JError, ConnectionError) as error:
        return 0 if stopping.is_set() else _fail(f"Spark: must go on; got {cause(error)}")
    finally:
        shutil.rmtree(checkpoint, ignore_errors=True)
    return 0


def _beside(target: str) -> str:
    return f"{target.rstrip('/').rpartition('/')[0]}/quarantine"


def _fail(message: str) -> int:
    LOG.error("stopped", error=message)
    return 1
