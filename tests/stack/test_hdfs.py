"""Ingestion to a real HDFS, and batch from HDFS to HDFS: the same raw events and answers as anywhere else."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from batch_layer.run_batch_jobs import main
from catalogue.at_rest.runs import current
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from tests.stack.test_ingestion import in_kafka

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 240


@pytest.fixture(scope="module")
def environ(stack, hdfs) -> dict[str, str]:
    return {**os.environ, **stack.environment, **hdfs.environment, "INGEST_MIN_EVENTS": "0"}


def run(environ: dict[str, str], script: str, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "ingestion_layer" / script), *options]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr[-500:]
    return done


def copied(store: Store, folder: Path) -> Store:
    """The store's files in a local folder."""
    target = open_store(str(folder))
    for entry in store.list():
        target.write(entry.path, store.read(entry.path))
    return target


def tables(output: Store) -> dict[str, list[dict]]:
    """The published views' rows."""
    views = current(output)[0].views
    files = {name: [io.BytesIO(output.read(file)) for file in view.files] for name, view in views.items()}
    return {name: [row for f in parts for row in pq.ParquetFile(f).read().to_pylist()] for name, parts in files.items()}


def test_the_whole_path_on_hdfs(stack, hdfs, environ, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HDFS_HTTP_PORT", hdfs.environment["HDFS_HTTP_PORT"])
    raw = open_store(environ["HDFS_MASTER_DATASET"], Settings.load())
    views = f"{hdfs.uri}/batch_views"
    for number in (1, 2):
        run(
            environ,
            "producer.py",
            "--events",
            "1500",
            "--seed",
            str(number),
            "--invalid",
            "0.02",
            "--duplicates",
            "0.02",
        )
        run(environ, "ingest_layer.py", "--once")
        assert main([raw.uri, views]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "on top of run" in said, "the second run reads the second day only"

    landed = [
        (line["topic"], line["partition"], line["offset"])
        for entry in raw.list("topic=")
        for line in map(json.loads, gzip.decompress(raw.read(entry.path)).splitlines())
    ]
    held = {place for place, value in in_kafka(stack).items() if (value or b"").startswith(b"{")}
    assert len(landed) == len(set(landed)) and set(landed) <= held and len(landed) > 3000
    quarantined = open_store(f"{hdfs.uri}/quarantine", Settings.load())
    assert quarantined.list("topic=")

    copied(raw, tmp_path / "raw")
    assert main([str(tmp_path / "raw"), str(tmp_path / "views"), "--full"]) == 0
    here, there = open_store(str(tmp_path / "views")), open_store(views, Settings.load())
    (first, _), (second, _) = current(here), current(there)
    assert (first.cut, first.ledger) == (second.cut, second.ledger)
    assert tables(here) == tables(there)
    assert any(rows for rows in tables(there).values())
