"""A run's manifest is the contract's JSON, judged field by field, and keeps what a later release has added."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from catalogue.at_rest.runs import NOTHING, RunManifest, ViewFiles, current, kept, kept_runs, state_files
from runtime.errors import PlatformError
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError

ENTRY = {"landed": 5, "counted": 3, "duplicate": 1, "invalid": 1}
MANIFEST = RunManifest(
    "r1",
    "2026-03-01T00:00:00.000Z",
    {"video_topic": {"0": 5}},
    {"video_topic": {"0": ENTRY}},
    {"video_popularity": ViewFiles("video_popularity/run=r1", 9, {"video_id": "VARCHAR"})},
    {"video_topic": "r1"},
)


@pytest.fixture
def batch(tmp_path):
    return open_store(str(tmp_path))


def damaged(change: dict) -> bytes:
    return json.dumps(json.loads(MANIFEST.encoded()) | change).encode()


def test_it_is_written_as_the_contract_says(batch):
    batch.write("_current.json", MANIFEST.encoded())
    assert json.loads(batch.read("_current.json")) == {
        "version": 1,
        "run": "r1",
        "published_at": "2026-03-01T00:00:00.000Z",
        "cut": {"video_topic": {"0": 5}},
        "ledger": {"video_topic": {"0": ENTRY}},
        "views": {
            "video_popularity": {"path": "video_popularity/run=r1", "rows": 9, "columns": {"video_id": "VARCHAR"}}
        },
        "state": {"video_topic": "r1"},
    }
    assert current(batch) == (MANIFEST, batch.etag("_current.json"))
    assert MANIFEST.landed == 5
    assert MANIFEST.folders == {"video_popularity/run=r1", "_state/video_topic/run=r1"}


def test_before_the_first_run_nothing_is_published(batch):
    assert current(batch) == (NOTHING, None)
    assert not NOTHING.run and not NOTHING.views and not NOTHING.folders


def test_one_without_a_version_is_of_the_first(batch):
    text = json.loads(MANIFEST.encoded())
    del text["version"]
    batch.write("_current.json", json.dumps(text).encode())
    assert current(batch)[0] == MANIFEST


def test_unknown_fields_are_kept_and_written_back(batch):
    text = json.loads(damaged({"note": ["of", "tomorrow"]}))
    text["views"]["video_popularity"]["note"] = 3
    batch.write("_current.json", json.dumps(text).encode())
    found = current(batch)[0]
    assert found.unknown == {"note": ["of", "tomorrow"]}
    assert json.loads(replace(found, run="r2").encoded()) == text | {"run": "r2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "must be JSON; "),
        (b"null", "must be a run's manifest; got null"),
        (damaged({"version": 2}), "field 'version' must be at most 1; got 2"),
        (damaged({"version": "x"}), "field 'version' must be at most 1; got \"x\""),
        (b'{"run": "r1"}', "field 'published_at' must be a time; got none"),
        (damaged({"run": ""}), "field 'run' must be the run's id; got \"\""),
        (damaged({"cut": {"video_topic": 5}}), "field 'cut' must be offsets by topic and partition; got "),
        (damaged({"cut": {"video_topic": {"0": -1}}}), "field 'cut' must be offsets by topic and partition; got "),
        (damaged({"ledger": []}), "field 'ledger' must be counts by topic, partition and fate; got []"),
        (damaged({"state": {"video_topic": None}}), "field 'state' must be a run's id by topic; got "),
        (damaged({"views": {"v": 1}}), "field 'views' must be an object for each view; got "),
        (damaged({"views": {"v": {"rows": 1}}}), "view 'v': field 'path' must be a folder; got none"),
        (damaged({"views": {"v": {"path": "p", "rows": True}}}), "view 'v': field 'rows' must be a count; got true"),
    ],
)
def test_a_damaged_one_names_the_object_and_the_field(batch, text, said):
    batch.write("_runs/r1.json", text)
    with pytest.raises(StorageError) as caught:
        kept(batch, "r1")
    assert str(caught.value).startswith(f"'_runs/r1.json' in {batch.uri}: {said}")
    assert isinstance(caught.value, PlatformError) and "\n" not in str(caught.value)


def test_a_view_of_several_files_says_so(batch):
    view = ViewFiles("v/run=r1", 9, {}, 2)
    batch.write("_runs/r1.json", replace(MANIFEST, views={"v": view}).encoded())
    assert kept(batch, "r1").views["v"].files == ["v/run=r1/part-00000.parquet", "v/run=r1/part-00001.parquet"]
    assert json.loads(batch.read("_runs/r1.json"))["views"]["v"]["parts"] == 2


def test_a_state_is_the_files_that_its_index_names(batch):
    batch.write("_state/t/run=r2/inputs.json", json.dumps({"states": {"ids": {"0": ["a", "b"], "1": ["c"]}}}).encode())
    assert state_files(batch, "t", "r2", "ids") == ["a", "b", "c"]
    batch.write("_state/t/run=r1/inputs.json", b"{}")
    earlier = [f"_state/t/run=r1/ids-{part}.parquet" for part in ("settled", "recent")]
    assert state_files(batch, "t", "r1", "ids") == earlier, "of an earlier release"
    for text in (b"{", b"[]", b'{"states": {"ids": {"0": "a"}}}'):
        batch.write("_state/t/run=r3/inputs.json", text)
        with pytest.raises(StorageError, match="'_state/t/run=r3/inputs.json' in "):
            state_files(batch, "t", "r3", "ids")


def test_kept_runs_are_in_the_order_of_their_publication(batch):
    for run, day in (("b", 1), ("a", 2)):
        batch.write(f"_runs/{run}.json", replace(MANIFEST, run=run, published_at=f"2026-03-0{day}T00:00:00Z").encoded())
    assert [manifest.run for manifest in kept_runs(batch)] == ["b", "a"]
    with pytest.raises(FileNotFoundError):
        kept(batch, "c")
