"""Prometheus metrics of the producer: its own counts, read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric

from ingestion_layer.sinks import KafkaSink
from runtime.exposition import Exposition
from runtime.settings import Settings


def serve(settings: Settings, sent: Counter[str], trouble: Counter[str], sink: KafkaSink) -> None:
    """Answer Prometheus where the settings say so, from counts that the producer keeps."""
    exposition = Exposition("producer")

    def collect() -> Iterator[Metric]:
        for name, counts in (
            ("producer_events_sent_total", sent),
            ("producer_events_acknowledged_total", sink.acknowledged),
            ("producer_trouble_events_total", trouble),
        ):
            family = exposition.family(name)
            for label, count in counts.copy().items():
                family.add_metric([label], count)
            yield family
        failed = exposition.family("producer_events_failed_total")
        failed.add_metric([], len(sink.failures))
        yield failed

    exposition.collect_from(collect)
    exposition.serve(settings)
