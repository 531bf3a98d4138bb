"""Generated events, as the options of the producer ask for them."""

from __future__ import annotations

import datetime as dt
import random
import time
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice

import numpy as np

from ingestion_layer.clock import DAY, SECOND, Schedule, WallClock
from ingestion_layer.population import Population
from ingestion_layer.simulation import Simulation
from ingestion_layer.world import Record

LIVE_RATE = 50.0
EVENTS_PER_STUDENT_AND_DAY = 20
RANGE_DAYS = 30
SEEDED_START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
SIGNUPS_PER_EVENT = 0.006


class Generated:
    """Generated events: live ones on the wall clock, or past ones as fast as they can be made.

    A number of events alone, or a range of days, is past; anything else is live. Where they go has no part in it.
    """

    def __init__(self, options: Namespace):
        self.seed = str(options.seed) if options.seed is not None else str(random.SystemRandom().getrandbits(64))
        ranged = bool(options.start or options.end)
        alone = options.events is not None and options.rate is None and options.duration is None
        live = not (ranged or alone)
        days, start = self._range(options)
        events = options.events
        if events is None and not live:
            events = max(1, round(options.students * EVENTS_PER_STUDENT_AND_DAY * days))
        begin = round(start.timestamp()) * SECOND
        newcomers = options.students // 10 if events is None else int(events * SIGNUPS_PER_EVENT) + 1
        people = Population(
            int.from_bytes(self.seed.encode()), options.students, options.courses,
            max(1, min(options.students // 2, newcomers)), time.time_ns() // 1000 if live else begin,
        )  # fmt: skip
        self.rate = (options.rate or LIVE_RATE) if live else None
        numbers = np.random.default_rng(int.from_bytes(self.seed.encode()) % 2**64)
        end = begin + round(days * DAY)
        clock = WallClock(self.rate) if self.rate else Schedule(begin, end, events, numbers)
        self._simulation = Simulation(people, clock, self.seed, options.late, events)
        self.total = events

    def __iter__(self) -> Iterator[Record]:
        return islice(self._simulation.records(), self.total)

    def notes(self) -> list[str]:
        """What the summary says of these events."""
        return [f"late: {self._simulation.late_made}"]

    @staticmethod
    def _range(options: Namespace) -> tuple[float, dt.datetime]:
        end = options.end
        if options.start is None and end is None:
            if options.seed is not None:
                return RANGE_DAYS, SEEDED_START
            end = dt.datetime.now(dt.UTC)
        start = options.start or end - dt.timedelta(days=RANGE_DAYS)
        end = end or min(start + dt.timedelta(days=RANGE_DAYS), dt.datetime.now(dt.UTC))
        return (end - start) / dt.timedelta(days=1), start
