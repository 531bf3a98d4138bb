"""Whether Spark was there before this process: apart from the session, so that asking doesn't import Spark."""

from __future__ import annotations

import os


def by_spark_submit() -> bool:
    """Whether spark-submit started this process: then it has decided where Spark runs."""
    return "PYSPARK_GATEWAY_PORT" in os.environ
