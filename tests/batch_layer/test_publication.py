"""Publishing what jobs staged: again after a stop, never twice, and which runs retention drops."""

import json

import pytest

from batch_layer.publication import drop_old_runs, is_published, publish, stage, staged
from batch_layer.topic_run import BatchError, TopicResult
from catalogue.runs import current
from catalogue.storage import open_store


@pytest.fixture
def output(tmp_path):
    return open_store(str(tmp_path))


def result(run: str, base: str | None = None) -> TopicResult:
    views = {"video_popularity": {"path": f"video_popularity/run={run}", "rows": 0, "columns": {}}}
    return TopicResult("video_topic", run, base, cut={"0": 5}, views=views)


def test_a_publication_that_was_stopped_is_repeated(output):
    publish(output, "a", [result("a")])
    assert is_published(output, "a") and not is_published(output, "b")
    stage(output, [result("b", "a")], "b")
    waiting = staged(output, "b")
    publish(output, "b", waiting)
    stage(output, waiting, "b")  # as if it had been stopped before it removed what was staged
    assert publish(output, "b", staged(output, "b"))["state"] == {"video_topic": "b"}
    assert staged(output, "b") == []
    with pytest.raises(BatchError, match="must go on from the published run b"):
        publish(output, "c", [result("c", "a")])


def test_the_oldest_runs_are_dropped_whatever_their_ids(output):
    base = None
    for run in ("20260301T000000", "0000001-oozie-W", "0000000-oozie-W"):
        output.write(f"video_popularity/run={run}/part-00000.parquet", b"")
        publish(output, run, [result(run, base)])
        base = run
    for number, run in enumerate(("20260301T000000", "0000001-oozie-W", "0000000-oozie-W")):
        manifest = json.loads(output.read(f"_runs/{run}.json"))
        manifest["published_at"] = f"2026-03-0{number + 1}T00:00:00.000Z"
        output.write(f"_runs/{run}.json", json.dumps(manifest).encode())
    assert drop_old_runs(output, 2) == ["20260301T000000"]
    assert drop_old_runs(output, 1) == ["0000001-oozie-W"]
    assert current(output)[0]["run"] == "0000000-oozie-W"
    assert [e.path for e in output.list("video_popularity/")] == [
        "video_popularity/run=0000000-oozie-W/part-00000.parquet"
    ]
