"""A driver of Spark maps the classes that were archived; what doesn't fit it leaves alone, without a word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deployment.spark_classes import archived
from runtime.spark.class_archive import java_options, place

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300
START = """
from runtime.settings import Settings
from runtime.spark.session import session, stop
spark = session("start", Settings.load())
with open(f"/proc/{spark.sparkContext._gateway.proc.pid}/maps") as maps:
    print(spark.range(3).count(), ".jsa" in "".join(line for line in maps if "spark-classes" in line))
stop(spark)
"""


def started() -> str:
    """What a driver says of its answer and of the archive, where there is no other word of it to read."""
    command = [sys.executable, "-c", START]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=True)
    assert "cds" not in done.stderr and "rchive" not in done.stderr, done.stderr
    return done.stdout.strip()


def test_a_driver_maps_what_was_archived():
    assert archived(kafka=False) == place(os.environ)
    assert started() == "3 True"


def test_an_archive_that_is_none_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    archive = place(os.environ)
    assert archive and java_options(os.environ) == ()
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"another JVM's" * 1000)
    assert f"-XX:SharedArchiveFile={archive}" in java_options(os.environ)
    assert started() == "3 False"


def test_another_class_path_has_another_archive(tmp_path):
    (tmp_path / "kafka.jar").write_bytes(b"1")
    first = place(os.environ, tmp_path)
    (tmp_path / "kafka.jar").write_bytes(b"22")
    assert len({place(os.environ), first, place(os.environ, tmp_path)}) == 3


def test_without_java_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert place(os.environ) is None and java_options(os.environ) == ()
