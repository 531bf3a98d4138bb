"""Prometheus metrics of the ingestion."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.raw_files import CommittedFile
from catalogue.events.unmapped import COLLECTED
from ingestion_layer.commits import Commits
from runtime.exposition import Exposition
from runtime.kafka_ends import KafkaEnds, lags
from runtime.kafka_offsets import Offsets
from runtime.logs import Log
from runtime.settings import Settings


class IngestionMetrics:
    """What is committed, told by one object, so that a scrape finds heads and events of the same commit."""

    def __init__(self) -> None:
        self.exposition = Exposition("ingestion")
        self.seconds = self.exposition["ingestion_commit_seconds"]
        self.bytes, self.files = self.exposition["ingestion_bytes_total"], self.exposition["ingestion_files_total"]
        self.moment = self.exposition["ingestion_last_commit_timestamp_seconds"]
        self.kafka: KafkaEnds | None = None
        self._told: tuple[int, Offsets, Ledger] = (0, {}, {})

    def serve(self, settings: Settings, commits: Commits, head: Offsets) -> None:
        """Answer Prometheus where the settings say so; `head` is where the ingestion starts."""
        if settings.metrics_port is None:
            return
        self._told = (commits.number, {t: dict(p) for t, p in head.items()}, commits.total)
        self.moment.set_to_current_time()
        self.kafka = KafkaEnds(settings, COLLECTED, Log("ingestion"))
        self.kafka.start()
        self.exposition.collect_from(self._collect)
        self.exposition.serve(settings)

    def committed(self, commits: Commits, files: list[CommittedFile], seconds: float) -> None:
        """A commit was made."""
        head = {topic: partitions | commits.head.get(topic, {}) for topic, partitions in self._told[1].items()}
        self._told = (commits.number, head, commits.total)
        self.moment.set_to_current_time()
        self.seconds.observe(seconds)
        for file in files:
            self.bytes.labels(file.topic).inc(file.bytes)
            self.files.labels(file.topic).inc()

    def _collect(self) -> Iterator[Metric]:
        number, head, total = self._told
        commits = self.exposition.family("ingestion_commits_total")
        commits.add_metric([], number)
        events = self.exposition.family("ingestion_events_total")
        heads = self.exposition.family("ingestion_head_offset")
        lag = self.exposition.family("ingestion_lag_events")
        for topic, partitions in head.items():
            for partition, end in partitions.items():
                heads.add_metric([topic, partition], end)
                entry = dict.fromkeys(("read", "landed", "unparseable", "invalid", "erased"), 0)
                for fate, count in (entry | total.get(topic, {}).get(partition, {})).items():
                    events.add_metric([topic, partition, fate], count)
        for topic, waiting in lags(self.kafka.ends if self.kafka else {}, head).items():
            lag.add_metric([topic], waiting)
        yield from (commits, events, heads, lag)
