"""Prometheus metrics of the serving layer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import Metric

from runtime.exposition import Exposition
from serving_layer.errors import NotServing
from serving_layer.query.coverage import Coverage
from serving_layer.state.generation import Generation
from serving_layer.state.serving_state import ServingState


class Metrics:
    """Counts of requests by route and status, and what the state says of itself when it is scraped."""

    def __init__(self, state: ServingState, coverage: Coverage):
        self.state, self.coverage = state, coverage
        self.exposition = Exposition("serving")
        self.requests = self.exposition["serving_requests_total"]
        self.seconds = self.exposition["serving_request_seconds"]
        self.exposition.collect_from(self._collect)

    def _collect(self) -> Iterator[Metric]:
        state, family = self.state, self.exposition.family
        ready = family("serving_ready")
        ready.add_metric([], int(state.is_ready))
        waits = family("serving_run_waits")
        waits.add_metric([], int(bool(state.succession.waiting)))
        applied = family("serving_delta_apply_seconds")
        applied.add_metric([], state.deltas_applied, state.apply_seconds)
        yield from (ready, waits, applied)
        try:
            with state.reading() as generation:
                yield from self._of(generation)
        except NotServing:
            return

    def _of(self, generation: Generation) -> Iterator[Metric]:
        family, current = self.exposition.family, generation.current
        if current.published_at:
            age = family("serving_cut_age_seconds")
            published = datetime.fromisoformat(current.published_at)
            age.add_metric([], (datetime.now(UTC) - published).total_seconds())
            yield age
        names = ("cut_offset", "head_offset", "lag_events", "lag_seconds", "ledger_events", "view_rows")
        cuts, heads, behind, seconds, fates, rows = (family(f"serving_{name}") for name in names)
        for name, view in current.views.items():
            rows.add_metric([name, "batch"], view.rows)
        for topic, topic_state in generation.topics.items():
            head, ledger, merged = topic_state.figures()
            for partition, offset in topic_state.cut.items():
                cuts.add_metric([topic, partition], offset)
            for partition, end in head.items():
                heads.add_metric([topic, partition], end)
            alive = self.state.heartbeat.said
            ends = alive.kafka.get(topic) if alive else None
            if ends is not None:
                behind.add_metric([topic], sum(max(0, end - head.get(p, 0)) for p, end in ends.items()))
            lag = self.coverage.freshness(generation, topic)[1]
            if lag is not None:
                seconds.add_metric([topic], lag)
            for partition, entry in ledger.items():
                for fate, count in entry.items():
                    fates.add_metric([topic, partition, fate], count)
            for name, count in merged.items():
                rows.add_metric([name, "merged"], count)
        yield from (cuts, heads, behind, seconds, fates, rows)
