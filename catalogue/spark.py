"""The Spark session that the ingestion, batch and speed layers share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark import SparkConf
from pyspark.sql import SparkSession

if TYPE_CHECKING:
    from catalogue.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
LOGGING = Path(__file__).with_name("log4j2.properties")


class MissingJars(Exception):
    """Spark's Kafka and S3 jars are not where they are looked for."""


def session(app: str, settings: Settings, kafka: bool = False) -> SparkSession:
    """A session named `app`, in UTC, without web pages; on this machine's cores unless spark-submit gave a master.

    With `kafka` the class path has the jars of Kafka's source; MissingJars where the folder lacks them.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    conf = SparkConf(loadDefaults=submitted)
    conf.setAppName(app)
    defaults = {
        "spark.master": "local[*]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOGGING.as_uri()} -Djava.net.preferIPv4Stack=true",
    }
    if not submitted:
        defaults |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        if kafka:
            defaults["spark.driver.extraClassPath"] = f"{jars(settings)}/*"
    for name, value in defaults.items():
        conf.setIfMissing(name, value)
    return SparkSession.builder.config(conf=conf).getOrCreate()


def jars(settings: Settings) -> Path:
    """The folder of Spark's Kafka and S3 jars."""
    folder = Path(settings.spark_jars or _cache() / "spark-jars").expanduser()
    if not any(folder.glob("spark-sql-kafka-*.jar")):
        raise MissingJars(f"Spark: SPARK_JARS must hold the Kafka source's jars; got {folder}")
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learning-analytics"
