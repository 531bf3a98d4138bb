"""What is missing on a machine is named in one line, with what to install and the way without it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deployment.installation import hadoop_jars, one_at_a_time
from deployment.ports import free_port
from runtime.settings import cache_folder

TOOLS = {"java": "Java 17", "mvn": "Maven", "go": "Go 1.24 or later"}


@pytest.fixture
def bare(tmp_path) -> dict[str, str]:
    """An environment with an empty cache and a PATH on which every tool stands in by name only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP_SERVERS", "MINIO_ENDPOINT")}
    return {**kept, "PATH": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def complaint(environ: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("missing", TOOLS)
def test_setup_names_what_to_install(missing, bare):
    (Path(bare["PATH"]) / missing).unlink()
    cache = Path(bare["XDG_CACHE_HOME"]) / "learning-analytics"
    if missing == "go":  # the jars are there already
        for folder, jar in (("kafka-jars", "jmx_prometheus_javaagent-1.jar"), ("spark-jars", "spark-sql-kafka-0.jar")):
            (cache / folder).mkdir(parents=True)
            (cache / folder / jar).touch()
    said = complaint(bare, "deployment.installation")
    assert f"{TOOLS[missing]} must be installed ('{missing}' is not on the PATH)" in said
    assert "Docker Compose (`make compose-up`)" in said


@pytest.mark.parametrize("missing", ["java", "mvn"])
def test_up_names_what_to_install(missing, bare, tmp_path):
    (Path(bare["PATH"]) / missing).unlink()
    said = complaint(bare, "deployment.local_stack", "up", "--data", str(tmp_path / "data"))
    assert said.startswith("local_stack: ") and TOOLS[missing] in said and "Compose" in said


def test_only_what_is_started_needs_its_tool(bare, tmp_path):
    (Path(bare["PATH"]) / "java").unlink()
    (Path(bare["PATH"]) / "go").unlink()
    used = {**bare, "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    said = complaint(used, "deployment.local_stack", "up", "--data", str(tmp_path / "data"))
    assert TOOLS["go"] in said, "Kafka is there, so Java isn't missed"


def test_a_tool_that_fails_is_named(bare):
    (Path(bare["PATH"]) / "mvn").write_text("#!/bin/sh\necho nothing found >&2\nexit 7\n")
    said = complaint(bare, "deployment.installation")
    assert "mvn must succeed; got exit status 7: nothing found" in said


def test_what_two_ask_for_at_once_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[str] = []

    def ask(_: int) -> None:
        with one_at_a_time("thing"):
            if not made:
                time.sleep(0.2)
                made.append("thing")

    with ThreadPoolExecutor(4) as others:
        list(others.map(ask, range(4)))
    assert made == ["thing"]


def test_a_cache_that_can_only_be_read_holds_what_it_holds(tmp_path, monkeypatch):
    """As in the images, which have their jars; root may write anywhere, so the lock's name is taken here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    jars = cache_folder() / "hadoop-jars"
    jars.mkdir(parents=True)
    (jars / "hadoop-hdfs-3.4.2.jar").touch()
    jars.with_suffix(".lock").mkdir()
    assert hadoop_jars() == jars
