"""The Spark session that the ingestion, batch and speed layers share."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from runtime.errors import PlatformError
from runtime.settings import cache_folder
from runtime.spark.class_archive import java_options
from runtime.spark.executor_image import name_executor_image
from runtime.spark.shipped_code import is_elsewhere, ship
from runtime.spark.submitted import by_spark_submit

if TYPE_CHECKING:
    from runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# Checkpoints are thrown away (ADR 0003). This one does less for each file than Spark's first choice.
FILE_MANAGER = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
# How often a task is tried where Spark runs in this process; Spark itself would try once.
TRIES = 2
LOGGING = Path(__file__).with_name("log4j2.properties")


class MissingJars(PlatformError):
    """Spark's Kafka and S3 jars are not where they are looked for."""


def session(app: str, settings: Settings, kafka: bool = False, brief: bool = False) -> SparkSession:
    """A session named `app`, in UTC; SPARK_MASTER is its master unless spark-submit gave one.

    With `kafka` the class path has the jars of Kafka's source; MissingJars where the folder lacks them. `brief` work is
    over before Java's second compiler has made up for what it takes of the same cores: it is left out. SettingsError
    where the image of executors can't be told. A cluster's executors are sent the project's code and these jars; what
    else Spark is to know of the cluster, spark-defaults.conf in SPARK_CONF_DIR says.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    by_submit = by_spark_submit()
    if by_submit:
        SparkContext._ensure_initialized()  # only with its JVM does a SparkConf see what spark-submit was given
    conf = SparkConf(loadDefaults=by_submit)
    conf.setAppName(app)
    elsewhere = not by_submit and is_elsewhere(settings.spark_master)
    kafka_jars = jars(settings) if kafka and not by_submit and not elsewhere else None
    java = (
        f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        "-Djava.net.preferIPv4Stack=true",
        *(("-XX:TieredStopAtLevel=1",) if brief else ()),
        *(() if by_submit else java_options(os.environ, kafka_jars)),
    )
    defaults = {
        "spark.master": _forgiving(settings.spark_master),
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
        "spark.sql.streaming.checkpointFileManagerClass": FILE_MANAGER,
        "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
        "spark.driver.extraJavaOptions": " ".join(java),
    }
    defaults |= pages(settings)
    if not elsewhere:
        defaults["spark.executorEnv.PYTHONPATH"] = str(ROOT)
    if by_submit:
        defaults["spark.log.level"] = "ERROR"  # its JVM is there already, with a log4j configuration of its own
    elif elsewhere:
        if kafka:
            defaults["spark.jars"] = ",".join(map(str, sorted(jars(settings).glob("*.jar"))))
    else:
        defaults |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        defaults["spark.local.dir"] = tempfile.gettempdir()  # where SPARK_LOCAL_DIRS doesn't say another
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # its web pages listen there, not on every address
        if kafka_jars:
            defaults["spark.driver.extraClassPath"] = f"{kafka_jars}/*"
    for name, value in defaults.items():
        conf.setIfMissing(name, value)
    name_executor_image(conf)
    with _interrupts_later():
        SparkContext._ensure_initialized(conf=conf)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    if elsewhere:
        ship(spark.sparkContext)
    return spark


def _forgiving(master: str) -> str:
    """The master; one of this machine tries a task twice, as a cluster does: a worker may die, or not come up."""
    cores = re.fullmatch(r"local(?:\[(\d+|\*)\])?", master)
    return f"local[{cores[1] or 1},{TRIES}]" if cores else master


def pages(settings: Settings) -> dict[str, str]:
    """Spark's own web pages while it runs, and what its history server shows afterwards."""
    found = {"spark.ui.enabled": "false"}
    if settings.spark_ui_port is not None:
        found = {"spark.ui.enabled": "true", "spark.ui.port": str(settings.spark_ui_port)}
    if settings.spark_event_log:
        folder = settings.spark_event_log
        if "://" not in folder:
            Path(folder).expanduser().mkdir(parents=True, exist_ok=True)
            folder = Path(folder).expanduser().resolve().as_uri()
        found |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": folder}
    return found


def stop(spark: SparkSession) -> None:
    """Stop Spark; a signal to the whole process group may have done so already."""
    with suppress(Py4JError, OSError):
        spark.stop()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C has its effect at the end: PySpark leaves a JVM behind that is interrupted while it starts."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    caught: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        before(*caught[0])


def cause(error: Exception, *signs: str) -> str:
    """The line of a Spark error that says what went wrong: the last with the first of `signs` that is there.

    Of a sign that ends with a colon only what follows it is told.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    for sign in signs:
        for line in reversed(lines):
            if sign in line:
                return line.split(sign, 1)[1] if sign.endswith(": ") else line
    return lines[0] if lines else type(error).__name__


def jars(settings: Settings) -> Path:
    """The folder of Spark's Kafka and S3 jars."""
    folder = Path(settings.spark_jars or cache_folder() / "spark-jars").expanduser()
    if not any(folder.glob("spark-sql-kafka-*.jar")):
        raise MissingJars(f"Spark: SPARK_JARS must hold the Kafka source's jars; got {folder}")
    return folder
