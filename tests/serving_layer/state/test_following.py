"""What serving does with runs and deltas that come late, merged or again: answers go on, and don't go back."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import pytest

from batch_layer.publication import republish
from catalogue.at_rest.deltas import read_deltas
from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from catalogue.views import VIEWS
from serving_layer.errors import TookTooLong
from serving_layer.identity.sight import WHOLE
from serving_layer.query.deadlines import Deadlines
from serving_layer.state.realtime_state import RealtimeState
from speed_layer.compaction import compact, kept_cuts
from tests.laws.test_merged import Platform, answering, check, opened, rows_of, settle
from tests.oracle.histories import history

LIMIT = 90


def test_a_run_that_covers_less_waits_for_the_speed_layer(tmp_path):
    """A cut inside of a delta, and no speed layer that leads on from it: answers don't go back."""
    platform = Platform(tmp_path, history(4, 400), 4)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.5)
    state = opened(platform)
    head = {t: dict(s.head) for t, s in state.generation.topics.items()}
    stopped = platform.speed
    platform.rng.seed(0)
    platform.run_batch(at_boundary=False)
    platform.speed = stopped
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            state.look()
            state.follow_deltas()
            assert {t: dict(s.head) for t, s in state.generation.topics.items()} == head
            check(platform, state)
        platform.speed = platform.new_speed()
        while platform.waiting():
            platform.micro_batch(2.0)
        deadline = time.monotonic() + LIMIT
        while state.generation.run != "r002":
            assert time.monotonic() < deadline
            settle(state)
        check(platform, state)
    finally:
        state.stop()


def test_deltas_that_were_merged_before_they_were_read_are_caught_up(tmp_path):
    platform = Platform(tmp_path, history(5, 500), 5)
    platform.settings = replace(platform.settings, compact_after_seconds=0)
    platform.speed = platform.new_speed()
    platform.micro_batch(0.2)
    state = opened(platform)
    try:
        for _ in range(4):
            platform.micro_batch(0.2)
        time.sleep(0.01)
        assert compact(platform.speed.deltas, kept_cuts(platform.batch), 0) == 5, (
            "the merged one begins before what is served"
        )
        settle(state)
        settle(state)
        check(platform, state)
        assert platform.speed.head == {t: dict(s.head) for t, s in state.generation.topics.items()}
        assert {t: dict(h) for t, h in state.realtime.heads.items()} == platform.speed.head
    finally:
        state.stop()


def test_windows_say_from_when_on_they_are_complete(tmp_path):
    platform = Platform(tmp_path, history(9, 400), 9)
    platform.micro_batch(0.05)  # soon overtaken by cuts
    state = opened(platform)
    try:
        state.follow_deltas()
        assert set(state.realtime.since.values()) == {""}, "nothing was ever missing"
        platform.run_batch(at_boundary=False)
        while any(not _begins(platform, t) for t in TOPICS):
            platform.run_batch(at_boundary=False)
        platform.micro_batch(1.0)
        settle(state)
        check(platform, state)
        first = read_deltas(platform.speed_store)[-1]
        since = {t: state.realtime.since[t] for t in TOPICS if first.touches(t)}
        assert since and set(since.values()) <= {"", first.created_at} and first.created_at in since.values()
    finally:
        state.stop()


def test_a_window_that_takes_too_long_is_ended_and_nothing_else_is():
    deadlines, realtime = Deadlines(0.3), RealtimeState()
    deadlines.start()
    endless = "(SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range % 7 = b.range % 5) > 0"
    asked = ("active_users", dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 60)
    try:
        with pytest.raises(TookTooLong):
            realtime.read(*asked, endless, [], WHOLE, deadlines.over)
        table, _ = realtime.read(*asked, "true", [], WHOLE, deadlines.over)
        assert len(table) == 60 and realtime.con.execute("SELECT count(*) FROM clock").fetchall() == [(60,)]
    finally:
        deadlines.stop()


def _begins(platform: Platform, topic: str) -> bool:
    """Whether the batch has overtaken the first delta in a topic."""
    cut = current(platform.batch)[0].cut.get(topic, {})
    return all(cut.get(p, 0) >= end for p, end in platform.speed.deltas.all[0].ends(topic).items())


def test_both_layers_follow_a_run_that_is_published_again(tmp_path):
    platform = Platform(tmp_path, history(3, 400), 3)
    for share in (0.3, 0.5):
        platform.micro_batch(share)
        platform.run_batch(at_boundary=True)
    state = opened(platform)
    try:
        republish(platform.batch, "r001")
        if not platform.speed.leads_on_from(current(platform.batch)[0]):
            platform.speed = platform.new_speed()
        settle(state)
        assert state.generation.run == "r001"
        check(platform, state)
        answers = answering(state)
        assert {view: rows_of(state, answers, view)[1]["run"] for view in VIEWS} == dict.fromkeys(VIEWS, "r001")
        answers.snapshots.drop_old(everything=True)
        platform.micro_batch(1.0)
        platform.run_batch(at_boundary=True)
        settle(state)
        assert state.generation.run == "r003"
        check(platform, state)
    finally:
        state.stop()
