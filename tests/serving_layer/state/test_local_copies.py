"""A view of several files is copied whole, or it is told which file is not."""

from __future__ import annotations

import duckdb
import pytest

from catalogue.at_rest.runs import ViewFiles
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError
from serving_layer.state.local_copies import copy_view

VIEW = ViewFiles("v/run=r1", 7, {"n": "BIGINT"}, 3)


@pytest.fixture
def batch(tmp_path):
    (tmp_path / "batch" / VIEW.path).mkdir(parents=True)
    for number, (first, end) in enumerate(((0, 3), (3, 3), (3, 7))):
        file = tmp_path / "batch" / VIEW.files[number]
        duckdb.sql(f"COPY (SELECT n FROM range({first}, {end}) t(n)) TO '{file}' (FORMAT parquet)")
    return open_store(str(tmp_path / "batch"))


def test_all_parts_are_one_local_file(batch, tmp_path):
    local = tmp_path / "local" / "v.parquet"
    local.parent.mkdir()
    copy_view(batch, VIEW, local)
    assert duckdb.sql(f"SELECT n FROM read_parquet('{local}')").fetchall() == [(n,) for n in range(7)]
    assert list(local.parent.iterdir()) == [local]


def test_a_part_that_is_damaged_or_gone_is_named(batch, tmp_path):
    batch.write(VIEW.files[1], b"PAR1 no such thing")
    with pytest.raises(StorageError, match="'v/run=r1/part-00001.parquet' in "):
        copy_view(batch, VIEW, tmp_path / "v.parquet")
    batch.delete([VIEW.files[1]])
    with pytest.raises(FileNotFoundError, match="part-00001.parquet"):
        copy_view(batch, VIEW, tmp_path / "v.parquet")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == [], "a copy that isn't whole is none"
