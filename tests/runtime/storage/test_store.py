"""Opening stores, and what a store says that can't be reached or refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployment.ports import free_port
from runtime.settings import Settings
from runtime.storage.hdfs import HdfsStore
from runtime.storage.local import LocalStore
from runtime.storage.opening import open_store
from runtime.storage.s3 import S3Store
from runtime.storage.store import StorageError, Store

ACTIONS: dict[str, Callable[[Store, Path], object]] = {
    "list": lambda store, here: store.list(),
    "read": lambda store, here: store.read("f"),
    "write": lambda store, here: store.write("f", b""),
    "create": lambda store, here: store.create("f", b""),
    "swap": lambda store, here: store.swap("f", b"", None),
    "etag": lambda store, here: store.etag("f"),
    "download": lambda store, here: store.download("f", here / "down"),
    "upload": lambda store, here: store.upload(here / "up", "f"),
    "delete": lambda store, here: store.delete(["f"]),
}


def complaint(action: str, store: Store, here: Path) -> str:
    """The one line that an action's failure is."""
    (here / "up").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        ACTIONS[action](store, here)
    text = str(caught.value)
    assert text.startswith(f"storage {store.uri}") and "\n" not in text
    return text


@pytest.mark.parametrize(
    ("uri", "kind", "opened"),
    [
        ("/data/raw", LocalStore, "/data/raw"),
        ("file:///data/raw", LocalStore, "/data/raw"),
        ("s3a://bucket-0/raw/", S3Store, "s3a://bucket-0/raw"),
        ("s3://bucket-0", S3Store, "s3://bucket-0"),
        ("hdfs://node:8020/raw", HdfsStore, "hdfs://node:8020/raw"),
    ],
)
def test_a_path_names_its_store(uri, kind, opened):
    store = open_store(uri, Settings.load({}))
    assert type(store) is kind and store.uri == opened


def test_a_relative_path_is_a_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_store("raw").uri == str(tmp_path / "raw")


@pytest.mark.parametrize(
    ("uri", "said"),
    [("ftp://host/raw", "must be local, file://, s3a:// or hdfs://"), ("s3a:///raw", "must name a bucket")],
)
def test_what_is_no_store_is_named(uri, said):
    with pytest.raises(StorageError, match=said):
        open_store(uri, Settings.load({}))


@pytest.mark.parametrize("action", ["list", "create", "upload"])  # each of its kind: these wait for several attempts
def test_an_s3_store_out_of_reach(action, tmp_path):
    endpoint = f"http://127.0.0.1:{free_port()}"
    chosen = replace(Settings.load({}), minio_endpoint=endpoint)
    text = complaint(action, open_store("s3a://bucket-0/raw", chosen), tmp_path)
    assert f"can't reach {endpoint}" in text and "MINIO_ENDPOINT" in text


@pytest.mark.parametrize("action", ACTIONS)
def test_an_hdfs_out_of_reach(action, tmp_path):
    port = free_port()
    chosen = replace(Settings.load({}), hdfs_http_port=port)
    text = complaint(action, open_store("hdfs://127.0.0.1:1/raw", chosen), tmp_path)
    assert f"can't reach http://127.0.0.1:{port}" in text and "HDFS_HTTP_PORT" in text


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "raw").write_bytes(b"")
    assert "Not a directory" in complaint("write", open_store(str(tmp_path / "raw")), tmp_path)


def test_an_unfinished_write_is_not_seen(tmp_path):
    store = open_store(str(tmp_path))
    with pytest.raises(RuntimeError), store._temporary("a/f") as temporary:  # type: ignore[attr-defined]
        temporary.write_bytes(b"half")
        assert store.list() == [] and store.etag("a/f") is None
        raise RuntimeError("killed")
    assert list((tmp_path / "a").iterdir()) == []
