"""One speed layer: where it starts, and what it does with each micro-batch.

The manifests are the only truth. A start, a restart and a lost checkpoint are the same thing: for each topic, follow
the chain of deltas from the published cut, and go on where it ends. A cut that no chain leads on from (the batch ran
ahead, or an older run was published again) is where a new chain starts.
"""

from __future__ import annotations

import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalogue.at_rest.deltas import Delta, Vector, chain, reached, read_deltas
from catalogue.at_rest.runs import RunManifest, current, state_files
from catalogue.events import TOPICS
from catalogue.views.fingerprint import fingerprint
from runtime.errors import PlatformError
from runtime.kafka_offsets import starting_offsets
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.store import Store
from runtime.timestamps import now
from speed_layer.delta_maker import DeltaMaker
from speed_layer.metrics import SpeedMetrics
from speed_layer.typed_records import SCHEMA, pack, rollups_of, unpack

LOG = Log("speed")


class SpeedError(PlatformError):
    """The speed layer can't go on; the message is one line for people."""


class Speed:
    """The state between micro-batches: the deltas so far, the exclusive head, and the ids of the horizon."""

    def __init__(
        self,
        settings: Settings,
        speed: Store,
        batch: Store,
        starting: Callable[[Settings, Iterable[str], dict[str, Vector]], dict[str, Vector]] = starting_offsets,
        metrics: SpeedMetrics | None = None,
    ):
        self.metrics = metrics or SpeedMetrics()
        self.settings, self.speed, self.batch = settings, speed, batch
        published, _ = current(batch)
        cuts = published.cut
        self.rules = fingerprint((r for t in TOPICS for r in rollups_of(t)), settings.duplicate_days)
        found = read_deltas(speed)
        self.deltas = [d for d in found if d.rules == self.rules]
        chains = {t: chain(self.deltas, t, cuts.get(t, {})) for t in TOPICS}
        heads = {t: following[-1].ends(t) if following else cuts.get(t, {}) for t, following in chains.items()}
        self.head = starting(settings, TOPICS, heads)
        self.origin = {
            t: following[0].origin.get(t, {}) if following else {} if heads[t] else dict(self.head[t])
            for t, following in chains.items()
        }
        self.number = max((d.last for d in found), default=0)
        self.maker = DeltaMaker(settings.duplicate_days)
        self.lock = threading.Lock()
        self._remember(published, chains)
        self._remove([d for d in found if d.rules != self.rules])
        self._remove_leftovers()
        self.metrics.started(self.head, len(self.deltas))

    def _remember(self, published: RunManifest, chains: dict[str, list[Delta]]) -> None:
        fetched: dict[str, Path] = {}
        with tempfile.TemporaryDirectory() as folder:
            for topic in TOPICS:
                files: list[Path] = []
                run = published.state.get(topic)
                for path in state_files(self.batch, topic, run, "ids") if run else ():
                    files.append(Path(folder) / f"{topic}-{len(files)}.parquet")
                    self.batch.download(path, files[-1])
                for delta in chains[topic]:
                    if delta.ids not in fetched:
                        fetched[delta.ids] = Path(folder) / delta.ids.replace("/", "-")
                        self.speed.download(delta.ids, fetched[delta.ids])
                    files.append(fetched[delta.ids])
                self.maker.remember(topic, files)

    def _remove(self, deltas: list[Delta]) -> None:
        """Delete manifests of deltas that were made by other rules: they don't say what one of these would."""
        if deltas:
            LOG.info("drops deltas that were made by other rules", deltas=len(deltas))
            self.speed.delete([d.path for d in deltas])

    def _remove_leftovers(self) -> None:
        """Delete what a killed speed layer wrote without a manifest.

        What belongs to the next number stays: one that is about to be stopped could still give it a manifest.
        """
        known = {path for d in self.deltas for path in (d.data, d.ids)}
        written = [e.path for prefix in ("data/", "ids/") for e in self.speed.list(prefix)]
        left = [path for path in written if path not in known]
        self.speed.delete([path for path in left if int(path.partition("/")[2][:20]) <= self.number])

    def holds(self, published: RunManifest) -> bool:
        """Whether what is published leads to this head, so that nothing has to be done."""
        return all(
            reached(self.deltas, t, published.cut.get(t, {})).get(p, self.origin[t].get(p, 0)) == end
            for t, ends in self.head.items()
            for p, end in ends.items()
        )

    def take(self, batch: Any, number: int) -> None:
        """Make and commit the delta of a micro-batch (a DataFrame of Kafka's records)."""
        started = time.monotonic()
        records = batch.select("topic", "partition", "offset", "timestamp", "value")
        records = records.coalesce(batch.sparkSession.sparkContext.defaultParallelism)
        packed: dict[str, list[bytes]] = {}
        for row in records.mapInArrow(pack, SCHEMA).collect():
            packed.setdefault(row.topic, []).append(bytes(row.events))
        if packed:
            with self.lock:
                self.commit({topic: unpack(packed[topic]) for topic in TOPICS if topic in packed}, started)

    def commit(self, arrived: dict[str, pa.Table], started: float | None = None) -> None:
        """Make and commit the delta of typed events by topic, as `kernel.unpack` gives them.

        `started` is the monotonic moment at which the work on them began; this one if none is given.
        """
        started = started or time.monotonic()
        number = self.number + 1
        name = f"{number:020}-{uuid.uuid4().hex[:8]}.parquet"
        with tempfile.TemporaryDirectory() as folder:
            data, ids = Path(folder) / "data.parquet", Path(folder) / "ids.parquet"
            made = self.maker.make(arrived, data, ids)
            self.speed.write(f"ids/{name}", ids.read_bytes())
            self.speed.write(f"data/{name}", data.read_bytes())
        # A partition that was added since the start begins at its first offset.
        heads = {t: dict.fromkeys(made.ends.get(t, {}), 0) | head for t, head in self.head.items()}
        ranges = {
            t: {p: [first, made.ends.get(t, {}).get(p, first)] for p, first in head.items()}
            for t, head in heads.items()
        }
        delta = Delta(
            number=number,
            last=number,
            created_at=now(),
            ranges=ranges,
            ledger=made.ledger,
            origin=self.origin,
            newest=made.newest,
            data=f"data/{name}",
            ids=f"ids/{name}",
            rules=self.rules,
        )
        try:
            self.speed.create(delta.path, delta.encoded())
        except FileExistsError:
            raise SpeedError(f"delta {number}: another speed layer made it; only one may run") from None
        self.deltas.append(delta)
        self.number = number
        self.head = {t: delta.ends(t) for t in self.head}
        events = sum(entry["read"] for partitions in made.ledger.values() for entry in partitions.values())
        seconds = time.monotonic() - started
        self.metrics.published(delta, len(self.deltas), seconds)
        LOG.info("published a delta", delta=number, events=events, seconds=seconds)
