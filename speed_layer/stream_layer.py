"""Keep the speed views: `python speed_layer/stream_layer.py [--once]`.

Kafka's topics become one delta of rollups per micro-batch, visible by one manifest. `--once` stops when it has
caught up.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from typing import Any

import duckdb
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import SparkSession

from catalogue.at_rest.runs import CURRENT, current
from runtime.command_line import Parser
from runtime.kafka_offsets import Gap, KafkaAway
from runtime.logs import Log, configure
from runtime.settings import Settings, SettingsError
from runtime.spark.session import MissingJars, cause, session, stop
from runtime.spark.streaming import MicroBatches, kafka_stream
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError
from speed_layer.housekeeping import Housekeeping
from speed_layer.metrics import SpeedMetrics
from speed_layer.speed import Speed, SpeedError

LOG = Log("speed")
LOOK_SECONDS = 1
SIGNS = ("SpeedError: ", "StorageError: ", "OffsetError: ")
WORST_WAIT_SECONDS = 30


def start(
    spark: SparkSession, speed: Speed, batches: MicroBatches, settings: Settings, checkpoint: str, once: bool
) -> Any:
    """The running query that gives `speed` its micro-batches."""
    reader = kafka_stream(spark, settings, speed.head, settings.speed_max_events)
    writer = reader.load().writeStream.foreachBatch(batches).option("checkpointLocation", checkpoint)
    trigger = {"availableNow": True} if once else {"processingTime": f"{settings.trigger_seconds} seconds"}
    return writer.trigger(**trigger).start()


def run(settings: Settings, spark: SparkSession, once: bool, stopping: threading.Event, metrics: SpeedMetrics) -> None:
    """Stream from where the published run and the deltas say, until stopped or what is published needs a new start."""
    speed_store, batch = open_store(settings.speed_views, settings), open_store(settings.batch_views, settings)
    tag = batch.etag(CURRENT)
    speed = Speed(settings, speed_store, batch, metrics=metrics)
    checkpoint = tempfile.mkdtemp(prefix="speed-")
    housekeeping = None if once else Housekeeping(speed, metrics)
    batches = MicroBatches(speed.take)
    try:
        query = start(spark, speed, batches, settings, checkpoint, once)
        if housekeeping:
            housekeeping.start()
        while not query.awaitTermination(LOOK_SECONDS):
            if stopping.is_set():
                return
            newest = batch.etag(CURRENT)
            if newest != tag:
                tag = newest
                with speed.lock:
                    holds = speed.holds(current(batch)[0])
                if not holds:
                    LOG.info("starts anew from what is published")
                    return
        if once:
            stopping.set()
    finally:
        if housekeeping:
            housekeeping.stop()
        for active in spark.streams.active:
            batches.end(active)
        speed.maker.close()
        shutil.rmtree(checkpoint, ignore_errors=True)


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(prog="stream_layer.py", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop when everything that waits is in a delta")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Stream until stopped; 0 when it ended well, 1 where it can't go on. Kafka and the store may come and go."""
    options = parser().parse_args(argv)
    stopping, metrics = threading.Event(), SpeedMetrics()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = Settings.load()
        configure(settings)
        metrics.exposition.serve(settings)
        spark = session("speed", settings, kafka=True)
    except (SettingsError, MissingJars) as error:
        return _fail(str(error))
    wait = 1.0
    while not stopping.is_set():
        try:
            run(settings, spark, options.once, stopping, metrics)
            wait = 1.0
        except KafkaAway as error:
            if options.once:
                return _fail(str(error))
            _retry(str(error), wait, stopping)
        except (SpeedError, Gap) as error:  # a second writer or a gap is for people to decide
            return _fail(str(error))
        except (Py4JError, ConnectionError) as error:
            if not stopping.is_set():
                return _fail(f"Spark: must go on; got {cause(error)}")
        # A damaged object may be whole again later.
        except (StorageError, StreamingQueryException, PySparkException, OSError, ValueError, duckdb.Error) as error:
            told = cause(error, *SIGNS)
            if options.once or "SpeedError" in str(error):
                return _fail(told)
            _retry(told, wait, stopping)
        wait = min(wait * 2, WORST_WAIT_SECONDS)
    stop(spark)
    return 0


def _retry(told: str, wait: float, stopping: threading.Event) -> None:
    LOG.warning("tries again", error=told, wait_seconds=wait)
    stopping.wait(wait)


def _fail(message: str) -> int:
    LOG.error("stopped", error=message)
    return 1


if __name__ == "__main__":
    sys.exit(main())
