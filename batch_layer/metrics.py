"""Prometheus metrics of a batch run: a process that ends, so it leaves them where BATCH_METRICS says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from batch_layer.topic_task import TopicResult
from catalogue.at_rest.runs import RunManifest
from catalogue.events import TOPICS
from runtime.logs import Log
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.exposition import Exposition

LOG = Log("batch")


def leave_success(settings: Settings, manifest: RunManifest, results: list[TopicResult]) -> None:
    """A run ended well and `manifest` is published now; `results` are of the topics that had new events."""
    if not settings.batch_metrics:
        return
    told = _exposition()
    told["batch_last_success_timestamp_seconds"].set_to_current_time()
    if manifest.run:
        published = datetime.fromisoformat(manifest.published_at)
        told["batch_published_timestamp_seconds"].set(published.timestamp())
        told["batch_run_info"].labels(manifest.run).set(1)
    for name, view in manifest.views.items():
        told["batch_view_rows"].labels(name).set(view.rows)
    for topic, partitions in manifest.cut.items():
        for partition, end in partitions.items():
            told["batch_cut_offset"].labels(topic, partition).set(end)
    for topic, entries in manifest.ledger.items():
        for partition, entry in entries.items():
            for fate, count in entry.items():
                told["batch_ledger_events"].labels(topic, partition, fate).set(count)
    found = {result.topic: result for result in results}
    for topic in TOPICS:
        result = found.get(topic)
        told["batch_run_events"].labels(topic).set(result.events if result else 0)
        told["batch_run_seconds"].labels(topic).set(result.seconds if result else 0)
        told["batch_run_unreadable_lines"].labels(topic).set(result.unreadable_lines if result else 0)
    _leave(settings, told, "success")


def leave_failure(settings: Settings) -> None:
    """A run failed; what is published stays."""
    if settings.batch_metrics:
        told = _exposition()
        told["batch_last_failure_timestamp_seconds"].set_to_current_time()
        _leave(settings, told, "failure")


def _exposition() -> Exposition:
    from runtime.exposition import Exposition  # only here: it takes a tenth of a small run's start

    return Exposition("batch")


def _leave(settings: Settings, told: Exposition, outcome: str) -> None:
    """Metrics that can't be left don't fail a run."""
    assert settings.batch_metrics
    try:
        told.leave(settings.batch_metrics, "batch", outcome)
    except OSError as error:
        LOG.warning("metrics are not left", place=settings.batch_metrics, error=error)
