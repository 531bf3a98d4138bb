"""Archives the classes of Spark's drivers where that wasn't done yet: `python -m deployment.spark_classes`.

A JVM writes down the classes that it has loaded when it ends; so that these are the ones that our drivers load, it
rehearses what they do, once with Kafka's source and once without. `runtime.spark.class_archive` says what for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployment.installation import spark_jars
from runtime.settings import Settings
from runtime.spark.class_archive import QUIET, place

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame

LIMIT_SECONDS = 600
# Nobody answers there, which is all that a rehearsal of Kafka's source needs.
NOWHERE = {
    "kafka.bootstrap.servers": "127.0.0.1:1",
    "kafka.request.timeout.ms": "300",
    "kafka.default.api.timeout.ms": "500",
    "subscribe": "none",
}


def archived(kafka: bool) -> Path | None:
    """The archive for drivers with or without Kafka's source, made where it is missing; None where Java makes none."""
    target = place(os.environ, spark_jars() if kafka else None)
    if target is None or target.exists():
        return target
    print("Spark: archiving its classes, once per machine", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        half = Path(folder) / target.name
        environ = os.environ | {"SPARK_SUBMIT_OPTS": f"-XX:ArchiveClassesAtExit={half} {' '.join(QUIET)}"}
        command = [sys.executable, "-m", "deployment.spark_classes", "kafka" if kafka else "plain", folder]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=environ, capture_output=True, timeout=LIMIT_SECONDS, check=False)
        if not half.exists():
            return None
        half.rename(target)
    return target


def _rehearse(kafka: bool, folder: str) -> None:
    """A shuffle, tasks in Python, a stream; and Kafka's source."""
    from runtime.spark.session import session, stop

    def same(batches: Iterable[RecordBatch]) -> Iterable[RecordBatch]:
        return batches

    def count(batch: DataFrame, _: int) -> None:
        batch.mapInArrow(same, batch.schema).count()

    spark = session("rehearsal", replace(Settings.load(), spark_master="local[2]", spark_ui_port=None), kafka)
    spark.range(8).repartition(2, "id").mapInArrow(same, "id long").collect()
    rows = spark.readStream.format("rate").option("rowsPerSecond", 10).load()
    writing = rows.writeStream.foreachBatch(count).option("checkpointLocation", folder).trigger(availableNow=True)
    writing.start().awaitTermination(60)
    if kafka:
        with suppress(Exception):  # nobody is there
            spark.read.format("kafka").options(**NOWHERE).load().count()
    stop(spark)


def main() -> None:
    """Make both; rehearse where that is asked for."""
    if sys.argv[1:]:
        _rehearse(sys.argv[1] == "kafka", sys.argv[2])
        return
    for kafka in (True, False):
        print(f"Spark's classes: {archived(kafka) or 'not archived, as this Java does not'}")


if __name__ == "__main__":
    main()
