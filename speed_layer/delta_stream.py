"""The stream of deltas: where it starts, and what it does with each micro-batch.

The manifests are the only truth. A start, a restart and a lost checkpoint are the same thing: for each topic, follow
the chain of deltas from the published cut, and go on where it ends. A cut that no chain leads on from (the batch ran
ahead, or an older run was published again) is where a new chain starts.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from catalogue.at_rest.deltas import Delta, Vector
from catalogue.at_rest.erasures import NOBODY, read_erasures, version_path
from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.runs import RunManifest, current
from catalogue.events import TOPICS
from catalogue.views.fingerprint import fingerprint
from runtime.kafka_offsets import Offsets, starting_offsets
from runtime.logs import Log
from runtime.settings import Settings
from runtime.spark.streaming import interpret_plans
from runtime.storage.store import Store
from runtime.timestamps import now
from speed_layer.contribution import SCHEMA, Contribution, contributions, judged, opened
from speed_layer.horizon import Horizon, parquet
from speed_layer.metrics import SpeedMetrics
from speed_layer.published_deltas import PublishedDeltas
from speed_layer.sightings import COLUMNS
from speed_layer.typed_records import rollups_of

LOG = Log("speed")
# Of a delta's files. Deltas of another form are made anew, as those of other rules are.
FORM = "2"
# Micro-batches that follow one of at most so many events are one task: its statements cost more than its events. Topics
# are then worked on beside each other in it.
FEW_EVENTS = 10_000
Starting = Callable[[Settings, Iterable[str], dict[str, Vector]], dict[str, Vector]]


class DeltaStream:
    """The state between micro-batches: the published deltas, the exclusive head, and what is known of the horizon."""

    def __init__(
        self,
        settings: Settings,
        speed: Store,
        batch: Store,
        starting: Starting = starting_offsets,
        metrics: SpeedMetrics | None = None,
    ):
        self.settings, self.metrics = settings, metrics or SpeedMetrics()
        published, _ = current(batch)
        version = published.erased
        self.erased = read_erasures(batch, settings.erasure_key, version_path(version)) if version else NOBODY
        rules = fingerprint((r for t in TOPICS for r in rollups_of(t)), settings.duplicate_days, version)
        self.deltas = PublishedDeltas(speed, f"{rules}-{FORM}")
        chains = {t: self.deltas.chain(t, published.cut.get(t, {})) for t in TOPICS}
        heads = {t: c[-1].ends(t) if c else published.cut.get(t, {}) for t, c in chains.items()}
        self.head: Offsets = starting(settings, TOPICS, heads)
        self.origin: Offsets = {
            t: c[0].origin.get(t, {}) if c else {} if heads[t] else dict(self.head[t]) for t, c in chains.items()
        }
        self.horizon = Horizon(speed, batch, self.deltas.rules)
        leading = {delta.number: delta for c in chains.values() for delta in c}
        self.horizon.open(published, leading.values(), self.head)
        self.deltas.remove_leftovers()
        self.horizon.remove_leftovers()
        self._lock = threading.Lock()
        self._last_events: int | None = None
        self.metrics.started(self.head, len(self.deltas))

    def close(self) -> None:
        """Let go of the horizon."""
        self.horizon.close()

    def leads_on_from(self, published: RunManifest) -> bool:
        """Whether what is published leads to this head, so that nothing has to be done."""
        if published.erased != self.erased.version:
            return False
        with self._lock:
            return all(
                self.deltas.reached(t, published.cut.get(t, {})).get(p, self.origin[t].get(p, 0)) == end
                for t, ends in self.head.items()
                for p, end in ends.items()
            )

    def take(self, batch: Any, number: int) -> None:
        """Make and publish the delta of a micro-batch, a DataFrame of Kafka's records."""
        started = time.monotonic()
        known, days, gone = self.horizon.known(), self.settings.duplicate_days, self.erased
        records = batch.select("topic", "partition", "offset", "timestamp", "value")
        few = self._last_events is not None and self._last_events <= FEW_EVENTS
        interpret_plans(batch.sparkSession, few)
        spark = batch.sparkSession.sparkContext
        beside = spark.defaultParallelism if few else 1
        spark.setJobDescription(f"delta {self.deltas.number + 1}: judge events, roll up those that count")

        def run(topics: tuple[str, ...]) -> list[Contribution]:
            part = records.where(records.topic.isin(*topics)) if topics else records
            part = part.coalesce(1 if topics or few else spark.defaultParallelism)
            made = part.mapInArrow(lambda batches: contributions(batches, known, days, gone, beside), SCHEMA)
            return opened(bytes(row.contribution) for row in made.collect())

        found = judged(run)
        if found:
            self.publish(found, started)

    def publish(self, found: list[Contribution], started: float) -> None:
        """Publish the delta that tasks' contributions make. `started`: when the work on it began, by a monotonic clock.

        A row of a rollup may stand in it several times, once for each task: whoever reads deltas merges them anyway.
        """
        number = self.deltas.number + 1
        name = f"{number:020}-{uuid.uuid4().hex[:8]}.parquet"
        rollups = pa.concat_tables([c.rollups for c in found], promote_options="permissive")
        sightings = pa.concat_tables([_with_topic(c) for c in found])
        delta = self._delta(number, found, name)
        with ThreadPoolExecutor(2) as writers:
            files = ((delta.data, rollups), (delta.ids, sightings))
            list(writers.map(lambda file: self.deltas.store.write(file[0], parquet(file[1])), files))
        with self._lock:
            self.deltas.publish(delta)
            self.head = {t: delta.ends(t) for t in self.head}
        self.horizon.add(delta, sightings, self.head)
        events = sum(entry["read"] for partitions in delta.ledger.values() for entry in partitions.values())
        self._last_events = events
        seconds = time.monotonic() - started
        self.metrics.published(delta, len(self.deltas), seconds)
        LOG.info("published a delta", delta=number, events=events, seconds=seconds)

    def _delta(self, number: int, found: list[Contribution], name: str) -> Delta:
        ends: Offsets = {t: {} for t in TOPICS}
        ledger: Ledger = {}
        newest: dict[str, str] = {}
        for one in found:
            for partition, account in one.accounts.items():
                ends[one.topic][partition] = account.end
                ledger.setdefault(one.topic, {})[partition] = account.fates
                newest[one.topic] = max(newest.get(one.topic, ""), account.newest)
        # A partition that was added since the start begins at its first offset.
        heads = {t: dict.fromkeys(ends[t], 0) | head for t, head in self.head.items()}
        return Delta(
            number=number,
            last=number,
            created_at=now(),
            ranges={t: {p: [first, ends[t].get(p, first)] for p, first in head.items()} for t, head in heads.items()},
            ledger=ledger,
            origin=self.origin,
            newest=newest,
            data=f"data/{name}",
            ids=f"ids/{name}",
            rules=self.deltas.rules,
            erased=self.erased.version,
        )


def _with_topic(one: Contribution) -> pa.Table:
    topics = pa.array([one.topic]).dictionary_encode().take(pa.array([0] * one.sightings.num_rows, pa.int32()))
    return one.sightings.add_column(0, "topic", topics).cast(COLUMNS)
