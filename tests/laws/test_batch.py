"""The batch layer's 37 views equal the oracle's, on histories with duplicates, late and invalid events."""

import json
import math
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from batch_layer.run_batch_jobs import main
from catalogue.views import VIEWS
from tests.oracle.histories import history, landed, write_raw
from tests.oracle.views import all_views, ledger


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.replace(tzinfo=UTC).isoformat()
    return value


def ordered(rows: list[dict], key: tuple[str, ...]) -> list[dict]:
    rows = [{name: plain(value) for name, value in row.items()} for row in rows]
    return sorted(rows, key=lambda row: repr([row[name] for name in key]))


@pytest.mark.parametrize("seed", [1, 2])
def test_views_and_ledger_equal_the_oracle(seed, tmp_path):
    records = landed(history(seed, 3000))
    write_raw(tmp_path / "raw", records, repeats=0.1, seed=seed)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    current = json.loads((tmp_path / "out" / "_current.json").read_text())
    for name, expected in all_views(records).items():
        path = tmp_path / "out" / current["views"][name]["path"]
        rows = ordered(parquet.ParquetFile(path / "part-00000.parquet").read().to_pylist(), VIEWS[name].key)
        expected = ordered(expected, VIEWS[name].key)
        assert len(rows) == len(expected), name
        for row, wanted in zip(rows, expected, strict=True):
            assert list(row) == list(wanted), name
            for column, value in wanted.items():
                if isinstance(value, float):
                    assert math.isclose(row[column], value, rel_tol=1e-12), (name, column, row, wanted)
                else:
                    assert row[column] == value, (name, column, row, wanted)
    for topic, partitions in ledger(records).items():
        assert current["ledger"][topic] == {str(p): dict(entry) for p, entry in partitions.items()}, topic
