"""When events happen: within the range, in order, in the rhythm of days, weeks and deadlines."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from ingestion_layer.clock import DAY, HOUR, SECOND, Schedule, WallClock, before_deadline, hour_of_week, next_deadline

START = round(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()) * SECOND
VIETNAM = dt.timezone(dt.timedelta(hours=7))


def local(moment: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment / SECOND, VIETNAM)


def schedule(days: float, events: int, seed: int = 1) -> list[int]:
    made = Schedule(START, START + round(days * DAY), events, np.random.default_rng(seed))
    return list(islice(made.moments(), events))


@pytest.mark.parametrize("days", [0.01, 0.5, 1, 7.3, 28])
@pytest.mark.parametrize("events", [1, 100, 20_000])
def test_moments_are_in_order_within_the_range(days, events):
    moments = schedule(days, events)
    assert len(moments) == events and moments == sorted(moments)
    assert moments[0] >= START and moments[-1] < START + days * DAY


def test_days_weeks_and_deadlines_have_their_rhythm():
    moments = [local(m) for m in schedule(28, 50_000)]
    hours, days = Counter(m.hour for m in moments), Counter(m.weekday() for m in moments)
    assert min(hours[h] for h in (9, 10, 14, 15, 20, 21)) > 4 * max(hours[h] for h in (1, 2, 3, 4))
    assert days[5] < days[0] and max(days, key=days.__getitem__) < 5
    evenings = Counter(m.weekday() for m in moments if m.hour >= 17)
    assert evenings[6] > evenings[5] * 1.5, "assignments are due on Sunday night"


def test_the_same_seed_gives_the_same_moments():
    assert schedule(3, 500) == schedule(3, 500) != schedule(3, 500, seed=2)


@pytest.mark.parametrize("hours", [0, 5, 17, 100, 167, 168, 1000])
def test_the_week_is_vietnams(hours):
    moment = START + hours * HOUR
    assert hour_of_week(moment) == local(moment).weekday() * 24 + local(moment).hour
    due = local(next_deadline(moment, 1))
    assert (due.weekday(), due.hour, due.minute) == (6, 23, 59)
    assert dt.timedelta(days=7) <= due - local(moment) <= dt.timedelta(days=14)
    assert before_deadline(next_deadline(moment, 1))


def test_the_wall_clock_never_goes_back():
    moments = list(islice(WallClock(50).moments(), 1000))
    assert moments == sorted(set(moments))
    assert abs(local(moments[-1]) - dt.datetime.now(VIETNAM)) < dt.timedelta(minutes=1)
