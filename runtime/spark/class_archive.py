"""The classes of Spark's driver in one file, which a JVM maps at its start where it would read hundreds of jars.

It is an archive of Java's class-data sharing (https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html),
and `deployment.spark_classes` makes it. One stands in the cache for each Java and each class path. A driver that finds
none starts as ever, only later.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from runtime.settings import cache_folder

# What doesn't fit is left alone without a word: another Java, say, that has taken the same path.
QUIET = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")


def java_options(environ: Mapping[str, str], jars: Path | None = None) -> tuple[str, ...]:
    """Options of a JVM whose class path is Spark's, after the `jars` of a folder; none where nothing was archived.

    Which Java and which Spark start, JAVA_HOME and SPARK_HOME of `environ` say, or its PATH and the package.
    """
    archive = place(environ, jars)
    if archive is None or not archive.exists() or " " in str(archive):  # Spark takes options apart at blanks
        return ()
    return (f"-XX:SharedArchiveFile={archive}", *QUIET)


def place(environ: Mapping[str, str], jars: Path | None = None) -> Path | None:
    """Where the archive of this class path stands, made or not; None without a Java."""
    home = environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else environ.get("PATH"))
    pyspark = find_spec("pyspark")  # importing it takes longer than all of this
    if not found or pyspark is None or pyspark.origin is None:
        return None
    spark = Path(environ.get("SPARK_HOME") or Path(pyspark.origin).parent)
    folders = [spark / "jars", *([jars] if jars else ())]
    used = [Path(found).resolve(), *(jar for folder in folders for jar in folder.glob("*.jar"))]
    told = "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in sorted(used))
    return cache_folder(environ) / f"spark-classes-{hashlib.sha256(told.encode()).hexdigest()[:12]}.jsa"
