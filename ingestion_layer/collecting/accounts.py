"""What became of every event that a source sent: received = accepted + duplicate + rejected + deferred + erased."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.kafka_delivery import KafkaDelivery
from ingestion_layer.collecting.sources import Source
from runtime.exposition import Exposition


class Accounts:
    """Counts by source and standard. Accepted events are in Kafka; deferred ones the sender was told to send again.

    Erased ones are what no mapping knows of people who were erased: events of theirs are in Kafka and count there.
    """

    def __init__(self, budget: Budget, kafka: KafkaDelivery):
        self.exposition = Exposition("collector")
        self._budget, self._kafka = budget, kafka
        self._events = self.exposition["collector_events_total"]
        self._unmapped = self.exposition["collector_unmapped_total"]
        self.requests = self.exposition["collector_requests_total"]
        self.seconds = self.exposition["collector_request_seconds"]
        self.exposition.collect_from(self._collect)

    def settle(
        self,
        source: Source,
        *,
        accepted: int = 0,
        duplicate: int = 0,
        rejected: int = 0,
        deferred: int = 0,
        erased: int = 0,
    ) -> None:
        """Note what became of events whose sender is answered now."""
        fates = {"accepted": accepted, "duplicate": duplicate, "rejected": rejected, "deferred": deferred}
        fates["erased"] = erased
        for fate, number in {"received": sum(fates.values()), **fates}.items():
            if number or fate == "received":
                self._events.labels(source.name, source.standard, fate).inc(number)

    def unmapped(self, source: Source, number: int) -> None:
        """Note documents that no mapping knows; they are among the accepted ones."""
        if number:
            self._unmapped.labels(source.name, source.standard).inc(number)

    def _collect(self) -> Iterator[Metric]:
        waiting = self.exposition.family("collector_waiting_bytes")
        waiting.add_metric([], self._budget.waiting)
        away = self.exposition.family("collector_kafka_away")
        away.add_metric([], float(self._kafka.away))
        yield from (waiting, away)
