"""Prometheus metrics of the serving layer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from serving_layer.state import ServingState

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Counts of requests by route and status, and what the state says of itself when it is scraped."""

    def __init__(self, state: ServingState):
        self.registry = CollectorRegistry()
        self.state = state
        self.requests = Counter(
            "serving_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "serving_request_seconds",
            "Seconds per request by route",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.registry.register(self)  # type: ignore[arg-type]

    def collect(self) -> Iterator[Metric]:
        """Gauges read from the state."""
        state = self.state
        yield GaugeMetricFamily("serving_ready", "1 while the newest objects are served", value=not state.problem)
        yield GaugeMetricFamily(
            "serving_run_waits", "1 while a published run covers less than what is served", value=bool(state.waiting)
        )
        yield CounterMetricFamily("serving_deltas_applied", "Deltas applied", value=state.deltas_applied)
        yield GaugeMetricFamily("serving_apply_seconds", "Seconds that the last delta took", value=state.apply_seconds)
        try:
            with state.reading() as generation:
                published = generation.current.get("published_at")
                if published:
                    age = (datetime.now(UTC) - datetime.fromisoformat(published)).total_seconds()
                    yield GaugeMetricFamily("serving_cut_age_seconds", "Age of the published batch run", value=age)
                rows = GaugeMetricFamily("serving_view_rows", "Rows per view of the batch run", labels=["view"])
                for name, view in generation.current.get("views", {}).items():
                    rows.add_metric([name], view["rows"])
                yield rows
                heads = GaugeMetricFamily(
                    "serving_head_offset", "First offset not in the answers", labels=["topic", "partition"]
                )
                waiting = GaugeMetricFamily(
                    "serving_events_behind", "Events in Kafka that are not in the answers", labels=["topic"]
                )
                ledger = GaugeMetricFamily("serving_ledger_events", "Events by fate", labels=["topic", "fate"])
                for topic, topic_state in generation.topics.items():
                    for partition, end in topic_state.head.items():
                        heads.add_metric([topic, partition], end)
                    ends = state.alive.get("kafka", {}).get(topic, {})
                    behind = sum(max(0, end - topic_state.head.get(p, 0)) for p, end in ends.items())
                    waiting.add_metric([topic], behind)
                    sums: dict[str, int] = {}
                    for entry in topic_state.ledger.values():
                        for fate, count in entry.items():
                            sums[fate] = sums.get(fate, 0) + count
                    for fate, count in sums.items():
                        ledger.add_metric([topic, fate], count)
                yield heads
                yield waiting
                yield ledger
        except RuntimeError:
            return
