"""The batch layer answers as the oracle does, whole or in steps, once or again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from batch_layer import config
from batch_layer.run_batch_jobs import main
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.histories import START, event, history, landed, write_raw, written
from tests.oracle.validity import RULES
from tests.oracle.views import all_views, answer

JOBS = {"auth": ("auth_topic",), "assessment": ("assessment_topic",), "video": ("video_topic",),
        "course": ("course_topic",), "profile_notification": ("profile_topic", "notification_topic")}  # fmt: skip
VIEW_TOPICS = {name: f"{name.split('_')[0]}_topic" for name in all_views([])}


def current(output: Path) -> dict:
    return json.loads((output / "_current.json").read_bytes())


def rows_of(output: Path, view: str) -> list[dict]:
    files = sorted((output / current(output)["views"][view]["path"]).glob("*.parquet"))
    assert files, view
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


TYPES = {"int64", "double", "date32[day]", "timestamp[us, tz=UTC]", "string"}


def odd_types(output: Path, view: str) -> list[str]:
    """Columns of other types than the contract's; an hour may be any integer."""
    file = next((output / current(output)["views"][view]["path"]).glob("*.parquet"))
    fields = pq.ParquetFile(file).schema_arrow
    return [f"{f.name} {f.type}" for f in fields if str(f.type) not in TYPES and f.name != "hour"]


def answers(output: Path) -> dict[str, list[dict]]:
    """Every view's rows, in an order that its files don't decide."""
    return {view: sorted(rows_of(output, view), key=repr) for view in current(output)["views"]}


def cut_of(records: Iterable[Record]) -> dict:
    cut: dict[str, dict[str, int]] = {topic: {} for topic in RULES}
    for r in records:
        cut[r.topic][str(r.partition)] = max(cut[r.topic].get(str(r.partition), 0), r.offset + 1)
    return cut


@lru_cache(maxsize=8)
def by_the_oracle(records: tuple[Record, ...]) -> tuple[dict, dict, dict]:
    """Its views, its ledger and the cut, once for all tests that look at the same history."""
    kept = landed(records)
    return *answer(kept), cut_of(kept)


def check(output: Path, records: list[Record], topics: Iterable[str] = tuple(RULES)) -> None:
    """The published run of `output` is what the oracle makes of the records."""
    published = current(output)
    views, counts, cut = by_the_oracle(tuple(r for r in records if r.topic in topics))
    expected = {view: rows for view, rows in views.items() if VIEW_TOPICS[view] in topics}
    assert set(published["views"]) == set(expected)
    wrong = {view: differences(rows, rows_of(output, view))[:3] for view, rows in expected.items()}
    assert not {view: found for view, found in wrong.items() if found}
    for view, rows in expected.items():
        assert published["views"][view]["rows"] == len(rows)
        assert odd_types(output, view) == []
        if rows:
            assert list(published["views"][view]["columns"]) == list(rows[0])
    for topic in topics:
        assert published["cut"].get(topic, {}) == cut[topic]
        got = {p: {fate: line[fate] for fate in ("landed", "counted", "duplicate", "invalid")}
               for p, line in published["ledger"].get(topic, {}).items()}  # fmt: skip
        assert got == {str(p): dict(account) for p, account in counts[topic].items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_full_run_equals_the_oracle(tmp_path, seed):
    records = history(seed, 4000)
    write_raw(tmp_path / "raw", records, files_per_topic=3, repeats=0.1, seed=seed)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out"), "--full"]) == 0
    check(tmp_path / "out", records)


NEVER, ALWAYS = 0, 10**9
AS_IT_IS = (config.SLICE_BYTES, config.BUCKET_BYTES, config.VIEW_BYTES)


def cut_small(monkeypatch: pytest.MonkeyPatch, slice_bytes: int, bucket_bytes: int, view_bytes: int = 1) -> None:
    """Cut topics into slices and buckets of so many bytes of raw events, and views by so many of their state.

    A slice is then read in a few goes.
    """
    monkeypatch.setattr("batch_layer.execution.spread", lambda waiting, cores: waiting)
    monkeypatch.setattr("batch_layer.raw_slice.SLICE_BYTES", slice_bytes // 3)
    monkeypatch.setattr("batch_layer.topic_run.VIEW_BYTES", view_bytes)
    monkeypatch.setattr("batch_layer.topic_plan.SLICE_BYTES", slice_bytes)
    monkeypatch.setattr("batch_layer.topic_plan.BUCKET_BYTES", bucket_bytes)


def buckets_of(output: Path, topic: str) -> int:
    """Into how many buckets the published state of a topic is cut."""
    run = current(output)["state"][topic]
    return json.loads((output / "_state" / topic / f"run={run}" / "inputs.json").read_bytes())["buckets"]


@pytest.mark.parametrize(
    "settles, rows_per_changed, slice_bytes, bucket_bytes, view_bytes",
    [
        (
            config.SETTLED_PER_RECENT,
            config.ROWS_PER_CHANGED,
            config.SLICE_BYTES,
            config.BUCKET_BYTES,
            config.VIEW_BYTES,
        ),
        (NEVER, NEVER, config.SLICE_BYTES, config.BUCKET_BYTES, config.VIEW_BYTES),
        (ALWAYS, NEVER, config.SLICE_BYTES, config.BUCKET_BYTES, config.VIEW_BYTES),
        (NEVER, ALWAYS, 100_000, config.BUCKET_BYTES, config.VIEW_BYTES),
        (NEVER, NEVER, 100_000, 80_000, 1),
        (NEVER, NEVER, 100_000, 80_000, 20_000),
        (ALWAYS, ALWAYS, config.SLICE_BYTES, 150_000, config.VIEW_BYTES),
    ],
    ids=["as it is", "few rows change", "settled at once", "slices", "slices and buckets", "some views cut", "buckets"],
)
def test_steps_equal_the_whole(tmp_path, monkeypatch, settles, rows_per_changed, slice_bytes, bucket_bytes, view_bytes):
    """Each step is the oracle's; a run that finds nothing new and one of the whole then leave every row as it is."""
    monkeypatch.setattr("batch_layer.state.SETTLED_PER_RECENT", settles)
    monkeypatch.setattr("batch_layer.view_rows.ROWS_PER_CHANGED", rows_per_changed)
    cut_small(monkeypatch, slice_bytes, bucket_bytes, view_bytes)
    rng, records = Random(5), history(5, 2000)
    raw, stepwise = tmp_path / "raw", tmp_path / "stepwise"
    ends = {place: sorted(rng.choices(range(max(offsets) + 2), k=2)) + [math.inf]
            for place in sorted({r[:2] for r in records})
            for offsets in [[r.offset for r in records if r[:2] == place]]}  # fmt: skip
    done: list[Record] = []
    for step in range(3):
        before_step = set(done)
        fresh = [r for r in records if r not in before_step and r.offset < ends[r[:2]][step]]
        write_raw(raw, fresh, files_per_topic=2, tag=f"step{step}", repeats=0.05, seed=step)
        done += fresh
        assert main([str(raw), str(stepwise)]) == 0
        check(stepwise, done)
    assert len(done) == len(records)

    before = answers(stepwise), {k: current(stepwise)[k] for k in ("cut", "ledger")}
    for options in ([], ["--full"]):
        assert main([str(raw), str(stepwise), *options]) == 0
        assert (answers(stepwise), {k: current(stepwise)[k] for k in ("cut", "ledger")}) == before


def skewed(seed: int, events: int) -> list[Record]:
    """Watching, nearly all of it by one person in one course; a fifth of the ids come again, in any partition."""
    rng = Random(seed)
    records: list[Record] = []
    ids: list[str] = []
    arrivals = [START + timedelta(minutes=rng.randrange(600)) for _ in range(3)]
    for offset in range(events):
        partition = rng.randrange(3)
        arrivals[partition] += timedelta(minutes=rng.randrange(20))
        body = event(rng, "video_topic", "VIDEO_WATCHED", arrivals[partition])
        if rng.random() < 0.8:
            body |= {"user_id": "SV001", "course_id": "COURSE001"}
        if ids and rng.random() < 0.2:
            body["event_id"] = rng.choice(ids[-20:])
        elif body.get("event_id"):
            ids.append(body["event_id"])
        records.append(Record("video_topic", partition, offset, arrivals[partition], written(rng, body)))
    return records


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ids_in_several_partitions_and_skew_are_the_same_in_steps_and_at_once(tmp_path, monkeypatch, seed):
    """The partitions of a topic are read at different speeds: what is read later may have arrived before."""
    cut_small(monkeypatch, *((100_000, 60_000), (10**9, 60_000), (10**9, 10**9))[seed - 1])
    rng, records = Random(seed), skewed(seed, 600)
    ends = [sorted(rng.choices(range(600), k=2)) + [600] for _ in range(3)]
    done: list[Record] = []
    for step in range(3):
        before_step = set(done)
        fresh = [r for r in records if r not in before_step and r.offset < ends[r.partition][step]]
        write_raw(tmp_path / "raw", fresh, files_per_topic=2, tag=f"step{step}", seed=step)
        done += fresh
        assert main(["video", str(tmp_path / "raw"), str(tmp_path / "steps")]) == 0
        check(tmp_path / "steps", done, ("video_topic",))
    assert (buckets_of(tmp_path / "steps", "video_topic") > 1) == (seed < 3)
    assert main(["video", str(tmp_path / "raw"), str(tmp_path / "whole"), "--full"]) == 0
    assert answers(tmp_path / "steps") == answers(tmp_path / "whole")


def test_any_number_of_buckets_gives_the_same_and_an_increment_keeps_it(tmp_path, monkeypatch):
    records = history(6, 900, topics=("video_topic",))
    early, late = [r for r in records if r.offset < 200], [r for r in records if r.offset >= 200]
    raw, output = str(tmp_path / "raw"), tmp_path / "out"
    write_raw(tmp_path / "raw", early, tag="early")
    found = []
    for bucket_bytes in (10**9, 40_000, 100_000):
        cut_small(monkeypatch, 50_000, bucket_bytes)
        assert main(["video", raw, str(output), "--full"]) == 0
        found.append((buckets_of(output, "video_topic"), answers(output)))
    assert found[0][0] == 1 < found[2][0] < found[1][0]
    assert [{v: differences(rows, found[0][1][v]) for v, rows in each.items()} for _, each in found] == [
        dict.fromkeys(found[0][1], [])
    ] * 3
    write_raw(tmp_path / "raw", late, tag="late")
    cut_small(monkeypatch, 50_000, 10**9)
    assert main(["video", raw, str(output)]) == 0
    check(output, records, ("video_topic",))
    assert buckets_of(output, "video_topic") == found[2][0]


def test_slices_and_buckets_go_through_spark_s_shuffle(tmp_path, monkeypatch):
    monkeypatch.setattr("batch_layer.execution.SMALL_INPUT", 0)
    cut_small(monkeypatch, 50_000, 60_000)
    records = history(6, 900, topics=("video_topic", "profile_topic"))
    write_raw(tmp_path / "raw", records, repeats=0.1)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    check(tmp_path / "out", records)
    assert buckets_of(tmp_path / "out", "video_topic") > 1


def test_jobs_run_alone_and_leave_the_others(tmp_path):
    records = history(7, 2000)
    raw, output = str(tmp_path / "raw"), tmp_path / "out"
    early = [r for r in records if r.offset < 60]
    write_raw(tmp_path / "raw", early, tag="early")
    assert main(["video", raw, str(output)]) == 0
    check(output, early, JOBS["video"])
    assert main(["auth", "profile_notification", raw, str(output)]) == 0
    topics = (*JOBS["video"], *JOBS["auth"], *JOBS["profile_notification"])
    check(output, early, topics)
    write_raw(tmp_path / "raw", [r for r in records if r.offset >= 60], tag="late")
    assert main(["video", raw, str(output)]) == 0
    check(output, [r for r in records if r.offset < 60 or r.topic == "video_topic"], topics)


def test_an_empty_topic_has_empty_views(tmp_path):
    records = history(8, 50, topics=("auth_topic",))
    write_raw(tmp_path / "raw", records)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    check(tmp_path / "out", records)


def test_intervals_of_no_length_count(tmp_path):
    rng, records = Random(4), []
    for offset, (topic, kind) in enumerate([
        ("auth_topic", "LOGIN"), ("auth_topic", "LOGOUT"),
        ("assessment_topic", "SUBMIT_ASSIGNMENT"), ("assessment_topic", "VIEW_ASSIGNMENT_FIRST_TIME"),
    ]):  # fmt: skip
        body = event(rng, topic, kind, START) | {"timestamp": "2026-03-01 08:00:00", "user_id": "SV001"}
        body |= {"session_id": "S"} if topic == "auth_topic" else {"assignment_id": "A", "course_id": "C"}
        records.append(Record(topic, 0, offset, START, written(rng, body)))
    views = all_views(records)
    assert views["auth_user_session_metrics"] and views["assessment_engagement_timeline"]
    write_raw(tmp_path / "raw", records)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    check(tmp_path / "out", records)


def test_sums_beyond_64_bits_stop_at_the_greatest_number(tmp_path):
    rng, records = Random(3), []
    for offset in range(40):
        kind = ("VIDEO_WATCHED", "QUIZ_COMPLETED")[offset % 2]
        topic = ("video_topic", "assessment_topic")[offset % 2]
        body = event(rng, topic, kind, START)
        body |= {"watch_duration_seconds": 2**63 - 1} if offset % 2 == 0 else {"correct_answers": 2**63 - 1}
        records.append(Record(topic, offset % 3, offset, START, written(rng, body)))
    write_raw(tmp_path / "raw", records)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    check(tmp_path / "out", records)


def test_bad_input_is_one_line_and_changes_nothing(tmp_path, capfd):
    raw, output = tmp_path / "raw", tmp_path / "out"
    assert main([str(raw), str(output)]) != 0
    assert not (output / "_current.json").exists()
    write_raw(raw, history(9, 200))
    assert main([str(raw), str(output)]) == 0
    before = (output / "_current.json").read_bytes()
    broken = next(raw.rglob("*.json.gz"))
    broken.with_name("cut-off.json.gz").write_bytes(broken.read_bytes()[:-20])
    assert main(["nonsense", str(raw), str(output)]) != 0
    capfd.readouterr()
    assert main([str(raw), str(output), "--full"]) != 0
    err = capfd.readouterr().err
    assert "cut-off.json.gz" in err and "Traceback" not in err
    assert (output / "_current.json").read_bytes() == before
