"""Deltas of generated events, published as the speed layer does, on top of a published run."""

from __future__ import annotations

import datetime as dt
import random
import zlib
from itertools import islice

import numpy as np

from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from ingestion_layer.clock import DAY, SECOND, Schedule
from ingestion_layer.population import Population
from ingestion_layer.simulation import Simulation
from runtime.settings import Settings
from runtime.storage.opening import open_store
from speed_layer.delta_stream import DeltaStream
from tests.benchmarks.history import COURSES, STUDENTS
from tests.laws.micro_batch import published
from tests.oracle.counting import Record

BEGIN = 1_775_000_000  # the last half an hour of March 2026, when `history` ends


class Deltas:
    """A speed layer's side of `settings`, whose events arrive at `arrival`."""

    def __init__(self, settings: Settings, arrival: dt.datetime):
        batch = open_store(settings.batch_views)
        cut = current(batch)[0].cut
        self.arrival = arrival
        self.people = Population(2, STUDENTS, COURSES, 10, BEGIN * SECOND)  # takes seconds to make
        self.speed = DeltaStream(
            settings, open_store(settings.speed_views), batch, lambda _, __, heads: {t: heads[t] or cut[t] for t in cut}
        )

    def publish(self, number: int, events: int) -> set[str]:
        """One delta of so many events; whose they are. Another number makes others."""
        schedule = Schedule(BEGIN * SECOND, BEGIN * SECOND + DAY, events, np.random.default_rng(number))
        offsets = {t: dict(partitions) for t, partitions in self.speed.head.items()}
        rows, users = [], set()
        made = Simulation(self.people, schedule, f"delta-{number}", 0.0, events).records()
        for topic, key, value in islice(made, events):
            partition = str(zlib.crc32(key) % TOPICS[topic].partitions)
            offset = offsets[topic][partition]
            offsets[topic][partition] += 1
            users.add(key.decode())
            rows.append(Record(topic, int(partition), offset, self.arrival, value))
        published(self.speed, rows, random.Random(number))
        return users

    def close(self) -> None:
        """Let go of it."""
        self.speed.close()
