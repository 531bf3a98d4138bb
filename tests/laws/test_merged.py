"""Whatever the cuts and the micro-batches, merged answers are the oracle's: all views, at every step."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from batch_layer.config import BUCKET_BYTES
from batch_layer.execution import here
from batch_layer.publication import publish
from batch_layer.topic_plan import plan
from batch_layer.topic_run import computed
from batch_layer.topic_task import TopicTask
from catalogue.at_rest.deltas import boundary, read_deltas
from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.identity.sight import WHOLE
from serving_layer.query.answers import Answers
from serving_layer.query.coverage import Coverage
from serving_layer.query.parameters import parse
from serving_layer.state.serving_state import ServingState
from speed_layer.compaction import compact, kept_cuts
from speed_layer.delta_stream import DeltaStream
from tests.laws.micro_batch import published
from tests.laws.test_batch import by_the_oracle
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.histories import history, write_raw


class Platform:
    """Batch, speed and serving over a folder, fed with records of an invented Kafka."""

    def __init__(self, folder: Path, records: list[Record], seed: int):
        self.rng, self.records = Random(seed), records
        places = {name: str(folder / name) for name in ("master_dataset", "batch_views", "speed_views", "quarantine")}
        self.settings = Settings.load({name.upper(): place for name, place in places.items()})
        self.batch = open_store(places["batch_views"])
        self.speed_store = open_store(places["speed_views"])
        self.speed = self.new_speed()
        self.runs = 0
        self.folder = folder

    def copied(self, folder: Path) -> Platform:
        """The same platform over a copy of what it has published; its speed layer starts from that."""
        shutil.copytree(self.folder, folder)
        copy = Platform(folder, list(self.records), 0)
        copy.rng.setstate(self.rng.getstate())
        copy.runs = self.runs
        return copy

    def new_speed(self) -> DeltaStream:
        """A speed layer that starts from the store alone, as after a crash."""
        partitions: dict[str, set[int]] = {t: set() for t in TOPICS}
        for r in self.records:
            partitions[r.topic].add(r.partition)

        def starting(_: Settings, topics: object, heads: dict) -> dict:
            return {t: {str(p): heads[t].get(str(p), 0) for p in ps} for t, ps in partitions.items()}

        return DeltaStream(self.settings, self.speed_store, self.batch, starting)

    def waiting(self) -> list[Record]:
        """Records that the speed layer hasn't taken."""
        return [r for r in self.records if r.offset >= self.speed.head[r.topic].get(str(r.partition), 0)]

    def micro_batch(self, share: float) -> None:
        """Take a part of what waits in each partition, in the order of offsets."""
        taken: list[Record] = []
        waiting = self.waiting()
        for place in sorted({r[:2] for r in waiting}):
            mine = sorted((r for r in waiting if r[:2] == place), key=lambda r: r.offset)
            taken += mine[: round(len(mine) * min(1.0, share * self.rng.random() * 2))]
        if not taken:
            return
        published(self.speed, taken, self.rng)

    def run_batch(self, at_boundary: bool, topics: Iterable[str] = TOPICS) -> None:
        """Publish a run over the raw events of topics, cut where a delta ends or anywhere."""
        self.runs += 1
        run, raw = f"r{self.runs:03}", open_store(str(self.folder / f"raw{self.runs}"))
        manifest = current(self.batch)[0]
        cuts = manifest.cut
        chosen: list[Record] = []
        deltas = read_deltas(self.speed_store)
        for topic in topics:
            mine = [r for r in self.records if r.topic == topic]
            ends = {p: max(r.offset for r in mine if r.partition == p) + 1 for p in {r.partition for r in mine}}
            known = cuts.get(topic, {})
            limit = {str(p): max(known.get(str(p), 0), self.rng.randrange(end + 1)) for p, end in ends.items()}
            if at_boundary:
                limit = boundary(deltas, topic, known, dict(self.speed.head[topic])) or limit
            chosen += [r for r in mine if r.offset < limit.get(str(r.partition), 0)]
        write_raw(Path(raw.uri), chosen, files_per_topic=2, repeats=0.1, seed=self.runs)
        results = []
        for topic in topics:
            task = TopicTask(topic, run, None, raw, self.batch, self.settings.duplicate_days)
            with here(self.settings) as engine:
                results += computed([plan(task)], engine)
        publish(self.batch, run, results)
        if not self.speed.leads_on_from(current(self.batch)[0]):
            self.speed = self.new_speed()

    def covered(self, head: dict) -> list[Record]:
        """The records below a head."""
        return [r for r in self.records if r.offset < head[r.topic].get(str(r.partition), 0)]


def opened(platform: Platform) -> ServingState:
    state = ServingState(platform.settings)
    state.look()
    return state


def answering(state: ServingState) -> Answers:
    return Answers(Coverage(state.heartbeat))


def rows_of(state: ServingState, answers: Answers, view: str, layer: str = "merged") -> tuple[list[dict], dict]:
    rows: list[dict] = []
    cursor = None
    while True:
        parameters = [("layer", layer), ("limit", "500")] + ([("cursor", cursor)] if cursor else [])
        query = parse(parameters, view_columns()[view], VIEWS[view].key)
        with state.reading() as generation:
            answer = answers.page(generation, VIEWS[view].topic, view, query, WHOLE)
        assert isinstance(answer.rows, list)
        rows += answer.rows
        cursor = answer.next
        if not cursor:
            assert len(rows) == answer.total
            return rows, orjson.loads(answer.as_of)


def check(platform: Platform, state: ServingState) -> None:
    """Every view of `merged` is what the oracle makes of the records that the answer says it covers."""
    answers = answering(state)
    assert state.generation
    head = {t: s.head for t, s in state.generation.topics.items()}
    expected, *_ = by_the_oracle(tuple(platform.covered(head)))
    wrong = {}
    for view in VIEWS:
        rows, as_of = rows_of(state, answers, view)
        assert as_of["head"] == head
        found = differences(expected[view], rows)
        if found:
            wrong[view] = found[:2]
    answers.snapshots.drop_old(everything=True)
    assert not wrong


def settle(state: ServingState) -> None:
    """Let the serving layer see what was published and written; a run that covers less than what is served waits on."""
    for _ in range(2):
        state.look()
        while state.succession.is_building and not state.succession.waiting:
            time.sleep(0.01)
            state.look()
        state.follow_deltas()
        state.catch_up()
        state.find_windows()
        if not state.succession.waiting:
            return
        time.sleep(0.5)


@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000), st.lists(st.sampled_from("mmmmbcjsk"), min_size=4, max_size=9))
def test_merged_answers_are_the_oracles(tmp_path_factory, seed, steps):
    records = history(seed, 700)
    platform = Platform(tmp_path_factory.mktemp("law"), records, seed)
    state = opened(platform)
    try:
        for step in steps:
            if step == "m":
                platform.micro_batch(0.3)
            elif step == "b":
                platform.run_batch(at_boundary=True)
            elif step == "c":
                platform.run_batch(at_boundary=False)
            elif step == "j":
                platform.run_batch(at_boundary=bool(seed % 2), topics=("video_topic", "auth_topic"))
            elif step == "s":
                platform.speed = platform.new_speed()
            else:
                state.stop()
                state = opened(platform)
            settle(state)
        check(platform, state)
        platform.micro_batch(1.0)
        settle(state)
        check(platform, state)
    finally:
        state.stop()


def test_a_run_that_is_published_again_is_followed(tmp_path):
    platform = Platform(tmp_path, history(3, 1500), 3)
    platform.micro_batch(0.3)
    platform.run_batch(at_boundary=True)
    state = opened(platform)
    try:
        check(platform, state)
        platform.micro_batch(0.5)
        platform.run_batch(at_boundary=True)
        settle(state)
        check(platform, state)
        platform.batch.write("_current.json", platform.batch.read("_runs/r001.json"))
        platform.speed = platform.new_speed()
        platform.micro_batch(0.5)
        settle(state)
        assert state.generation and state.generation.run == "r001"
        check(platform, state)
    finally:
        state.stop()


def test_compacted_deltas_say_the_same(tmp_path):
    platform = Platform(tmp_path, history(5, 1500), 5)
    state = opened(platform)
    for _ in range(6):
        platform.micro_batch(0.2)
    settle(state)
    time.sleep(0.01)
    assert compact(platform.speed.deltas, kept_cuts(platform.batch), 0) > 2
    assert len(read_deltas(platform.speed_store)) == 1
    platform.micro_batch(0.3)
    settle(state)
    check(platform, state)
    state.stop()
    platform.speed = platform.new_speed()
    platform.micro_batch(1.0)
    fresh = opened(platform)
    check(platform, fresh)
    fresh.stop()


@pytest.mark.parametrize("bucket_bytes", [BUCKET_BYTES, 60_000])
def test_layers_apart(tmp_path, monkeypatch, bucket_bytes):
    """batch answers for the events below the cut; speed for those from the cut on, each identity still once."""
    monkeypatch.setattr("batch_layer.topic_plan.BUCKET_BYTES", bucket_bytes)
    platform = Platform(tmp_path, history(8, 1200), 8)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(1.0)
    parts = {view.parts for view in current(platform.batch)[0].views.values()}
    assert (max(parts) > 1) == (bucket_bytes != BUCKET_BYTES), "some views are several files"
    state = opened(platform)
    try:
        cut = current(platform.batch)[0].cut
        answers = answering(state)
        logins = "auth_hourly_login_patterns"
        whole = sum(r["login_count"] for r in rows_of(state, answers, logins)[0])
        parts = {
            name: sum(r["login_count"] for r in rows_of(state, answers, logins, name)[0]) for name in ("batch", "speed")
        }
        assert parts["batch"] + parts["speed"] == whole and min(parts.values()) > 0
        expected, *_ = by_the_oracle(tuple(platform.covered({t: cut.get(t, {}) for t in TOPICS})))
        for view in VIEWS:
            assert differences(expected[view], rows_of(state, answers, view, "batch")[0]) == []
        answers.snapshots.drop_old(everything=True)
    finally:
        state.stop()
