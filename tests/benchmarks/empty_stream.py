"""The least that Spark can do for a fresh answer: Kafka to `foreachBatch`, one PUT for what came, and a GET that gives
it. `python -m tests.benchmarks.empty_stream TOPIC FOLDER`, until it is terminated.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
from typing import Any

from runtime.kafka_offsets import starting_offsets
from runtime.settings import Settings
from runtime.spark.session import session, stop
from runtime.spark.streaming import kafka_stream
from runtime.storage.opening import open_store

NAME = "seen.json"
# Keys of the last seconds, so that whoever looks seldom misses none.
KEPT = 2000


def main(topic: str, folder: str) -> None:
    """Put the newest keys of a topic's records into the object NAME of a folder."""
    settings = Settings.load()
    store = open_store(folder, settings)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    spark = session("empty", settings, kafka=True)

    keys: list[str] = []

    def take(batch: Any, number: int) -> None:
        keys.extend(bytes(row.key).decode() for row in batch.select("key").collect())
        del keys[:-KEPT]
        store.write(NAME, json.dumps(keys).encode())

    starting = starting_offsets(settings, [topic], {topic: {}})
    reader = kafka_stream(spark, settings, starting, settings.speed_max_events)
    with tempfile.TemporaryDirectory() as checkpoint:
        writer = reader.load().writeStream.foreachBatch(take).option("checkpointLocation", checkpoint)
        query = writer.trigger(processingTime="0 seconds").start()
        stopping.wait()
        query.stop()
    stop(spark)


if __name__ == "__main__":
    main(*sys.argv[1:])
