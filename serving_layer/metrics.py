"""Prometheus metrics of the serving layer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import Metric

from runtime.exposition import Exposition
from serving_layer.answers import Answers
from serving_layer.state import Generation, ServingState


class Metrics:
    """Counts of requests by route and status, and what the state says of itself when it is scraped."""

    def __init__(self, state: ServingState, answers: Answers):
        self.state, self.answers = state, answers
        self.exposition = Exposition("serving")
        self.requests = self.exposition["serving_requests_total"]
        self.seconds = self.exposition["serving_request_seconds"]
        self.exposition.collect_from(self._collect)

    def _collect(self) -> Iterator[Metric]:
        state, family = self.state, self.exposition.family
        ready = family("serving_ready")
        ready.add_metric([], int(not state.problem and state.is_alive()))
        waits = family("serving_run_waits")
        waits.add_metric([], int(bool(state.waiting)))
        applied = family("serving_delta_apply_seconds")
        applied.add_metric([], state.deltas_applied, state.apply_seconds)
        yield from (ready, waits, applied)
        try:
            with state.reading() as generation:
                yield from self._of(generation)
        except RuntimeError:
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
            ends = self.state.alive.kafka.get(topic) if self.state.alive else None
            if ends is not None:
                behind.add_metric([topic], sum(max(0, end - head.get(p, 0)) for p, end in ends.items()))
            lag = self.answers.freshness(generation, topic)[1]
            if lag is not None:
                seconds.add_metric([topic], lag)
            for partition, entry in ledger.items():
                for fate, count in entry.items():
                    fates.add_metric([topic, partition, fate], count)
            for name, count in merged.items():
                rows.add_metric([name, "merged"], count)
        yield from (cuts, heads, behind, seconds, fates, rows)
