"""Every Prometheus metric of the platform's own processes: its name as it is scraped, its labels, unit and meaning.

Names begin with the process and follow Prometheus' conventions: base units, `_total` for what only grows. Offsets are
exclusive ends, as everywhere. Documentation, dashboards and alert rules are tested against this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a metric's value may do."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


@dataclass(frozen=True)
class Metric:
    """One metric; `buckets` are a histogram's upper bounds. A summary has no quantiles, only `_sum` and `_count`."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, labels)


_PLACE = ("topic", "partition")
_COMMIT_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 20, 40)
_DELTA_SECONDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30)
_TRANSACTION_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

METRICS: dict[str, tuple[Metric, ...]] = {
    "producer": (
        _counter("producer_events_sent_total", "Events given to Kafka's client", "topic"),
        _counter("producer_events_acknowledged_total", "Events that Kafka has taken", "topic"),
        _counter("producer_events_failed_total", "Events that Kafka has not taken, for good"),
        _counter("producer_trouble_events_total", "Duplicates and invalid events sent on purpose, by kind", "kind"),
    ),
    "collector": (
        _counter(
            "collector_events_total",
            "Events that senders were answered for, by fate: received = accepted + duplicate + rejected + deferred + "
            "erased; accepted ones are in Kafka, deferred ones are to be sent again, erased ones are kept nowhere",
            "source",
            "standard",
            "fate",
        ),
        _counter("collector_unmapped_total", "Accepted documents that no mapping knows", "source", "standard"),
        _counter("collector_requests_total", "Requests by route and status", "route", "status"),
        Metric(
            "collector_request_seconds", Kind.HISTOGRAM, "Seconds per request by route", ("route",), _REQUEST_SECONDS
        ),
        _gauge("collector_waiting_bytes", "Bytes that were taken from senders and aren't in Kafka yet"),
        _gauge("collector_kafka_away", "1 while Kafka takes nothing"),
    ),
    "ingestion": (
        _counter(
            "ingestion_events_total",
            "Events committed since the raw data began, by fate: read = landed + unparseable; invalid ones are landed"
            " as well",
            *_PLACE,
            "fate",
        ),
        _gauge("ingestion_head_offset", "First offset that is not committed", *_PLACE),
        _gauge("ingestion_lag_events", "Events in Kafka that are not committed", "topic"),
        _counter("ingestion_commits_total", "Commits since the raw data began"),
        _gauge("ingestion_last_commit_timestamp_seconds", "When this process last committed, or started"),
        Metric(
            "ingestion_commit_seconds", Kind.HISTOGRAM, "Seconds per commit: read, judge, write", (), _COMMIT_SECONDS
        ),
        _counter("ingestion_bytes_total", "Bytes of the raw files that this process has written", "topic"),
        _counter("ingestion_files_total", "Raw files that this process has written", "topic"),
    ),
    "speed": (
        _counter(
            "speed_events_total",
            "Events in this process' deltas, by fate: read = landed + unparseable, "
            "landed = counted + duplicate + invalid + erased",
            "topic",
            "fate",
        ),
        _gauge("speed_head_offset", "First offset that is in no delta", *_PLACE),
        _gauge("speed_lag_events", "Events in Kafka that are in no delta", "topic"),
        _gauge("speed_last_delta_timestamp_seconds", "When this process last published a delta, or started"),
        Metric("speed_delta_seconds", Kind.HISTOGRAM, "Seconds per delta: read, roll up, publish", (), _DELTA_SECONDS),
        _gauge("speed_deltas", "Deltas that are kept"),
        _counter("speed_deltas_merged_total", "Deltas that compaction has merged into larger ones"),
        _counter("speed_deltas_dropped_total", "Deltas dropped because every kept batch run covers them"),
        _counter(
            "speed_starts_total", "Starts of the stream: the first, after an error, after another run's publication"
        ),
    ),
    "batch": (
        _gauge(
            "batch_last_success_timestamp_seconds", "When a run last ended well, whether it found new events or not"
        ),
        _gauge("batch_last_failure_timestamp_seconds", "When a run last failed"),
        _gauge("batch_published_timestamp_seconds", "When the published run was published"),
        _gauge("batch_run_info", "1 for the published run", "run"),
        _gauge("batch_run_events", "Events that the last run added", "topic"),
        _gauge("batch_run_seconds", "Seconds that the last run took for the topic", "topic"),
        _gauge("batch_run_unreadable_lines", "Raw lines that the last run could not read", "topic"),
        _gauge("batch_view_rows", "Rows of a published view", "view"),
        _gauge("batch_cut_offset", "First offset that the published views don't cover", *_PLACE),
        _gauge(
            "batch_ledger_events",
            "Events below the cut, by fate: landed = counted + duplicate + invalid + erased",
            *_PLACE,
            "fate",
        ),
    ),
    "serving": (
        _gauge("serving_ready", "1 while the newest objects are served"),
        _gauge(
            "serving_run_waits", "1 while a published run covers less than what is served and waits for the speed layer"
        ),
        _counter("serving_requests_total", "Requests by route and status", "route", "status"),
        Metric("serving_request_seconds", Kind.HISTOGRAM, "Seconds per request by route", ("route",), _REQUEST_SECONDS),
        Metric("serving_delta_apply_seconds", Kind.SUMMARY, "Seconds that applying deltas took"),
        _gauge("serving_cut_age_seconds", "Age of the published batch run"),
        _gauge("serving_cut_offset", "First offset that the batch run doesn't cover", *_PLACE),
        _gauge("serving_head_offset", "First offset not in the answers", *_PLACE),
        _gauge("serving_lag_events", "Events in Kafka that are not in the answers", "topic"),
        _gauge("serving_lag_seconds", "Seconds for which events may be missing in the answers", "topic"),
        _gauge(
            "serving_ledger_events",
            "Events in the answers, by fate: landed = counted + duplicate + invalid + erased",
            *_PLACE,
            "fate",
        ),
        _gauge("serving_view_rows", "Rows of a view: of the batch run, and merged as last computed", "view", "layer"),
    ),
    "projection": (
        _counter("projection_transactions_total", "Transactions that brought the database to a newer head"),
        _counter("projection_rows_total", "Rows that these deleted or inserted"),
        _counter("projection_failures_total", "Attempts that left the database as it was, each tried again"),
        Metric(
            "projection_transaction_seconds",
            Kind.HISTOGRAM,
            "Seconds per transaction: read, compare, write",
            (),
            _TRANSACTION_SECONDS,
        ),
        _gauge(
            "projection_current_timestamp_seconds",
            "When the database was last known to have all that is served, or this process started",
        ),
        _gauge("projection_head_offset", "First offset that is not in the database", *_PLACE),
    ),
}  # fmt: skip


def declared(name: str) -> Metric:
    """The metric of that name; KeyError where there is none."""
    return next(m for metrics in METRICS.values() for m in metrics if m.name == name)
