"""Batch where its stores can't be reached or refuse: one line, exit status 1, nothing published by half."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch_layer.run_batch_jobs import main
from catalogue.views import VIEWS
from runtime.storage.opening import open_store
from tests.oracle.histories import history, write_raw


@pytest.fixture(scope="module")
def raw(stack, tmp_path_factory) -> str:
    """Raw events in MinIO, without manifests."""
    folder = tmp_path_factory.mktemp("raw")
    write_raw(folder, history(2, 300))
    uri = "s3a://bucket-0/batch-faults/raw"
    store = open_store(uri, stack.settings)
    for path in folder.rglob("*.json*"):
        store.write(path.relative_to(folder).as_posix(), path.read_bytes())
    return uri


@pytest.fixture(autouse=True)
def environment(stack, monkeypatch) -> None:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)


def complaint(arguments: list[str], capsys) -> str:
    capsys.readouterr()
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "Traceback" not in error
    return error


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("MINIO_ENDPOINT", "http://127.0.0.1:1", "can't reach http://127.0.0.1:"),
        ("MINIO_ACCESS_KEY", "nobody", "MINIO_ACCESS_KEY"),
        ("MINIO_SECRET_KEY", "wrong-secret", "MINIO_SECRET_KEY"),
        ("MINIO_ENDPOINT", "127.0.0.1:9000", "setting MINIO_ENDPOINT: must start with http://"),
        ("DUPLICATE_DAYS", "seven", "setting DUPLICATE_DAYS: must be a whole number"),
    ],
)
def test_what_is_wrong_with_a_store_is_named(raw, setting, value, said, tmp_path, monkeypatch, capsys):
    write_raw(tmp_path / "raw", history(2, 50))
    output = "s3a://bucket-0/batch-faults/out-of-reach"
    monkeypatch.setenv(setting, value)
    assert said in complaint([raw, str(tmp_path / "out")], capsys), "INPUT"
    assert said in complaint([str(tmp_path / "raw"), output], capsys), "OUTPUT"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["s3a://no-such-bucket/raw", "OUT"], "bucket"),
        (["s3a://bucket-0/nothing/here", "OUT"], "INPUT must hold raw events"),
        (["ftp://host/raw", "OUT"], "path must be local, file://, s3a:// or hdfs://"),
        (["hdfs://127.0.0.1:1/raw", "OUT"], "HDFS_HTTP_PORT"),
        (["RAW", "s3a://no-such-bucket/out"], "bucket"),
    ],
)
def test_a_place_that_is_not_there_is_named(raw, arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HDFS_HTTP_PORT", "1")
    places = {"RAW": raw, "OUT": str(tmp_path / "out")}
    assert said in complaint([places.get(a, a) for a in arguments], capsys)
    assert not (tmp_path / "out").exists()


def test_a_view_that_can_not_be_written_publishes_nothing(raw, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "video_popularity").write_text("a file in the place of the view's folder")
    assert "video_popularity" in complaint([raw, str(tmp_path / "out")], capsys)
    assert not list((tmp_path / "out").glob("_*.json"))
    (tmp_path / "out" / "video_popularity").unlink()
    assert main([raw, str(tmp_path / "out")]) == 0
    published = json.loads(Path(tmp_path / "out" / "_current.json").read_bytes())
    assert set(published["views"]) == set(VIEWS), "what was left of the attempt is in nobody's way"


def test_a_damaged_state_is_named_and_changes_nothing(raw, tmp_path, capsys):
    output = tmp_path / "out"
    assert main([raw, str(output)]) == 0
    published = (output / "_current.json").read_bytes()
    write_raw(tmp_path / "raw", history(2, 300))
    run = json.loads(published)["run"]
    state = output / "_state" / "video_topic" / f"run={run}" / "video_watches-settled.parquet"
    state.write_bytes(b"PAR1 no such thing")
    known = state.with_name("inputs.json")
    store = open_store(raw)
    extra = "topic=video_topic/date=2026-03-01/later.json"
    store.write(
        extra,
        next((tmp_path / "raw" / "topic=video_topic").rglob("*-2.json"))
        .read_bytes()
        .replace(b'"offset":', b'"offset":9')
        .replace(b'"kafka_timestamp":"2026', b'"kafka_timestamp":"2027'),
    )
    try:
        assert "video_topic" in complaint(["video", raw, str(output)], capsys)
        assert (output / "_current.json").read_bytes() == published
        known.write_text("{")
        assert "video_topic" in complaint(["video", raw, str(output)], capsys)
        assert main(["video", raw, str(output), "--full"]) == 0, "--full needs no earlier state"
    finally:
        store.delete([extra])
