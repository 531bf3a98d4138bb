"""Publishing what jobs staged: again after a stop, never twice, and which runs retention drops."""

import json
import time

import pytest

from batch_layer.publication import drop_old_runs, is_published, publish, republish, stage, staged
from batch_layer.run_batch_jobs import main
from batch_layer.topic_task import BatchError, TopicResult
from catalogue.at_rest.runs import ViewFiles, current
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError


@pytest.fixture
def output(tmp_path):
    return open_store(str(tmp_path))


def result(run: str, base: str | None = None) -> TopicResult:
    views = {"video_popularity": ViewFiles(f"video_popularity/run={run}", 0)}
    return TopicResult("video_topic", run, base, cut={"0": 5}, views=views)


def test_a_publication_that_was_stopped_is_repeated(output):
    publish(output, "a", [result("a")])
    assert is_published(output, "a") and not is_published(output, "b")
    stage(output, [result("b", "a")], "b")
    waiting = staged(output, "b")
    publish(output, "b", waiting)
    stage(output, waiting, "b")  # as if it had been stopped before it removed what was staged
    assert publish(output, "b", staged(output, "b")).state == {"video_topic": "b"}
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
    assert current(output)[0].run == "0000000-oozie-W"
    assert [e.path for e in output.list("video_popularity/")] == [
        "video_popularity/run=0000000-oozie-W/part-00000.parquet"
    ]


@pytest.fixture
def kept(output):
    for run, base in (("a", None), ("b", "a")):
        output.write(f"video_popularity/run={run}/part-00000.parquet", b"")
        output.write(f"_state/video_topic/run={run}/inputs.json", b"{}")
        publish(output, run, [result(run, base)])
    return output


def test_a_kept_run_is_published_again(kept, capsys):
    assert main(["--republish", "a", kept.uri]) == 0
    assert kept.read("_current.json") == kept.read("_runs/a.json")
    assert main(["--runs", kept.uri]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "published run a again"
    assert [line.split(":")[0] for line in lines[1:]] == ["a", "b"]
    assert [line.endswith(", published") for line in lines[1:]] == [True, False]
    assert publish(kept, "c", [result("c", "a")]).state == {"video_topic": "c"}, "the next run goes on from it"


def test_what_is_not_kept_is_not_published_again(kept, capsys):
    before = kept.read("_current.json")
    assert main(["--republish", "x", kept.uri]) == 1
    assert (
        capsys.readouterr().err == "run_batch_jobs: RUN to publish again must be one of the kept ones: a, b; got 'x'\n"
    )
    kept.delete(["video_popularity/run=a/part-00000.parquet"])
    with pytest.raises(BatchError, match="'video_popularity/run=a' is gone"):
        republish(kept, "a")
    assert kept.read("_current.json") == before
    assert main(["--republish", "a", "in", kept.uri]) == 2


def test_a_run_that_is_published_meanwhile_wins(kept, monkeypatch):
    swap = type(kept).swap

    def late(store, path, data, tag):
        monkeypatch.setattr(type(kept), "swap", swap)
        publish(kept, "c", [result("c", "b")])
        return swap(store, path, data, tag)

    monkeypatch.setattr(type(kept), "swap", late)
    with pytest.raises(BatchError, match="another run was published meanwhile"):
        republish(kept, "a")
    assert current(kept)[0].run == "c"


def test_a_run_that_retention_drops_meanwhile_stays_dropped(kept, monkeypatch):
    read = type(kept).read

    def dropping(store, path):
        data = read(store, path)
        if path == "_runs/a.json":
            kept.delete([path])
        return data

    monkeypatch.setattr(type(kept), "read", dropping)
    with pytest.raises(BatchError, match="run 'a' was dropped meanwhile; b stays published"):
        republish(kept, "a")
    assert current(kept)[0].run == "b"


def state_of(output, run: str, settled: str) -> None:
    """A run's state whose settled part is the file `settled`."""
    recent = f"_state/video_topic/run={run}/video_watches-recent.parquet"
    output.write(settled, b"")
    output.write(recent, b"")
    index = {"states": {"video_watches": {"0": [settled, recent]}}}
    output.write(f"_state/video_topic/run={run}/inputs.json", json.dumps(index).encode())


def test_a_file_goes_with_the_last_run_whose_state_it_is(output):
    first = "_state/video_topic/run=a/video_watches-settled.parquet"
    for run, base, settled in (("a", None, first), ("b", "a", first), ("c", "b", first.replace("=a", "=c"))):
        state_of(output, run, settled)
        output.write(f"video_popularity/run={run}/part-00000.parquet", b"")
        publish(output, run, [result(run, base)])
        time.sleep(0.002)  # published at another millisecond
    assert drop_old_runs(output, 2) == ["a"]
    assert [e.path for e in output.list("_state/video_topic/run=a/")] == [first], "run b goes on from it"
    assert republish(output, "b").run == "b"
    output.delete([first])
    with pytest.raises(BatchError, match=f"'{first}' is gone"):
        republish(output, "b")
    output.write(first, b"")
    assert republish(output, "c").run == "c" and drop_old_runs(output, 1) == ["b"]
    assert {e.path.split("/")[2] for e in output.list("_state/")} == {"run=c"}


def test_a_damaged_index_keeps_what_it_may_need(output):
    for run, base in (("a", None), ("b", "a")):
        state_of(output, run, f"_state/video_topic/run={run}/video_watches-settled.parquet")
        output.write(f"video_popularity/run={run}/part-00000.parquet", b"")
        publish(output, run, [result(run, base)])
        time.sleep(0.002)
    output.write("_state/video_topic/run=b/inputs.json", b"{")
    with pytest.raises(StorageError, match="inputs.json"):
        drop_old_runs(output, 1)
    assert len(output.list("_state/video_topic/run=a/")) == 3
