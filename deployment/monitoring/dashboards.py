"""The three Grafana dashboards as data; `python -m deployment.monitoring.dashboards` writes their JSON.

A test fails while a file differs from what this module prints.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grafana" / "provisioning" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8, "bargauge": 8, "table": 8}


@dataclass(frozen=True)
class Panel:
    """A panel: its queries as (PromQL, legend), Grafana's unit, and its width of 24 columns."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8


def _stat(title: str, query: str, unit: str = "short") -> Panel:
    return Panel(title, ((query, ""),), unit, "stat", 4)


def _rate(counter: str) -> str:
    return f"sum(rate({counter}[$__rate_interval]))"


def _by(label: str, counter: str) -> str:
    return f"sum by ({label}) (rate({counter}[$__rate_interval]))"


def _share(part: str, whole: str) -> str:
    return f"{_by('topic', part)} / {_by('topic', whole)}"


def _quantiles(histogram: str, label: str = "") -> tuple[tuple[str, str], ...]:
    by = f"{label}, le" if label else "le"
    legend = f"{{{{{label}}}}} " if label else ""
    return tuple(
        (
            f"histogram_quantile({q}, sum by ({by}) (rate({histogram}_bucket[$__rate_interval])))",
            f"{legend}p{q * 100:g}",
        )
        for q in (0.5, 0.95, 0.99)
    )


ACCOUNTED = 'fate=~"counted|duplicate|invalid|erased"'
PIPELINE = (
    _stat("Answers behind", "max(serving_lag_seconds)", "s"),
    _stat("Waiting for ingestion", "sum(ingestion_lag_events)"),
    _stat("Waiting for speed", "sum(speed_lag_events)"),
    _stat("Age of the batch run", "max(serving_cut_age_seconds)", "s"),
    _stat("Since the last commit", "time() - max(ingestion_last_commit_timestamp_seconds)", "s"),
    _stat("MinIO free",
        "max(minio_cluster_capacity_usable_free_bytes) "
        "/ max(minio_cluster_capacity_usable_total_bytes)", "percentunit"),
    Panel("Collected events by source", (
        ('sum by (source) (rate(collector_events_total{fate="accepted"}[$__rate_interval]))', "{{source}}"),
    ), "eps"),
    Panel("Collected events that aren't new, or not taken", (
        ('sum by (source, fate) (rate(collector_events_total{fate!~"received|accepted"}[$__rate_interval]))',
         "{{source}}: {{fate}}"),
        ("sum by (source) (rate(collector_unmapped_total[$__rate_interval]))", "{{source}}: no mapping"),
    ), "eps"),
    Panel("Seconds per request to the collector", _quantiles("collector_request_seconds", "route"), "s"),
    Panel("Events by stage", (
        (_rate("producer_events_acknowledged_total"), "acknowledged by Kafka"),
        (_rate("kafka_topic_messagesin_total"), "into Kafka"),
        (_rate('ingestion_events_total{fate="read"}'), "ingested"),
        (_rate('speed_events_total{fate="read"}'), "in deltas"),
    ), "eps", width=12),
    Panel("Events into Kafka by topic", ((_by("topic", "kafka_topic_messagesin_total"), "{{topic}}"),), "eps",
        width=12),
    Panel("Events that wait", (
        ("sum(ingestion_lag_events)", "for ingestion"),
        ("sum(speed_lag_events)", "for the speed layer"),
        ("max(sum by (instance) (serving_lag_events))", "for the answers"),
    )),
    Panel("Seconds per commit", _quantiles("ingestion_commit_seconds"), "s"),
    Panel("Seconds per delta", _quantiles("speed_delta_seconds"), "s"),
    Panel("Raw bytes written", ((_by("topic", "ingestion_bytes_total"), "{{topic}}"),), "Bps"),
    Panel("Deltas", (
        ("sum(speed_deltas)", "kept"),
        ("sum(increase(speed_deltas_merged_total[1h]))", "merged in an hour"),
        ("sum(increase(speed_deltas_dropped_total[1h]))", "dropped in an hour"),
    )),
    Panel("Starts of the speed layer's stream", (("sum(increase(speed_starts_total[1h]))", "in an hour"),)),
    Panel("Last batch run: seconds", (("max by (topic) (batch_run_seconds)", "{{topic}}"),), "s", "bargauge"),
    Panel("Last batch run: events", (("max by (topic) (batch_run_events)", "{{topic}}"),), kind="bargauge"),
    Panel("Since batch runs", (
        ("time() - max(batch_last_success_timestamp_seconds)", "the last that ended well"),
        ("time() - max(batch_published_timestamp_seconds)", "the published one"),
    ), "s"),
    Panel("Kafka: size by topic", (("sum by (topic) (kafka_log_size_bytes)", "{{topic}}"),), "bytes"),
    Panel("Kafka: slowest requests in a hundred", (("max by (request) (kafka_request_p99_milliseconds)",
        "{{request}}"),), "ms"),
    Panel("MinIO: requests", ((_by("api", "minio_s3_requests_total"), "{{api}}"),), "reqps"),
)  # fmt: skip
QUALITY = (
    _stat("Events in the answers", 'max(sum by (instance) (serving_ledger_events{fate="landed"}))'),
    _stat("Counted", 'max(sum by (instance) (serving_ledger_events{fate="counted"}))'),
    _stat("Duplicates", 'max(sum by (instance) (serving_ledger_events{fate="duplicate"}))'),
    _stat("Invalid", 'max(sum by (instance) (serving_ledger_events{fate="invalid"}))'),
    _stat("No JSON objects", 'sum(ingestion_events_total{fate="unparseable"})'),
    _stat("Unreadable raw lines", "sum(batch_run_unreadable_lines)"),
    Panel("Rejected share by topic", ((
        _share('ingestion_events_total{fate=~"invalid|unparseable"}', 'ingestion_events_total{fate="read"}'),
        "{{topic}}",
    ),), "percentunit", width=12),
    Panel("Duplicate share by topic", ((
        _share('speed_events_total{fate="duplicate"}', 'speed_events_total{fate="landed"}'),
        "{{topic}}",
    ),), "percentunit", width=12),
    Panel("Events by fate", ((_by("fate", "speed_events_total"), "{{fate}}"),), "eps"),
    Panel("Trouble sent on purpose", ((_by("kind", "producer_trouble_events_total"), "{{kind}}"),), "eps"),
    Panel("Not accounted for within a layer (must be 0)", (
        ('sum(ingestion_events_total{fate="read"}) '
         '- sum(ingestion_events_total{fate=~"landed|unparseable"})', "ingestion"),
        (f'sum(speed_events_total{{fate="landed"}}) - sum(speed_events_total{{{ACCOUNTED}}})', "speed"),
        (f'sum(batch_ledger_events{{fate="landed"}}) - sum(batch_ledger_events{{{ACCOUNTED}}})', "batch"),
        (f'sum(serving_ledger_events{{fate="landed"}}) - sum(serving_ledger_events{{{ACCOUNTED}}})', "serving"),
    )),
    Panel("Offsets below the head that are not accounted for: no JSON objects, the same in both layers", (
        ('sum by (topic) (ingestion_head_offset) '
         '- sum by (topic) (ingestion_events_total{fate="landed"})', "{{topic}} raw"),
        (
            "max by (topic) (sum by (instance, topic) (serving_head_offset) "
            f"- sum by (instance, topic) (serving_ledger_events{{{ACCOUNTED}}}))",
            "{{topic}} answers",
        ),
    ), width=12),
    Panel("The ledger of the answers", (
        ("max by (topic, fate) (sum by (instance, topic, fate) (serving_ledger_events))", ""),
    ), kind="table", width=12),
    Panel("Rows by view", (('max by (view) (serving_view_rows{layer="merged"})', "{{view}}"),), kind="table", width=12),
    Panel("Rows by view, of the batch run", (("max by (view) (batch_view_rows)", "{{view}}"),), kind="table", width=12),
)  # fmt: skip
SERVICE = (
    _stat("Alerts that fire", 'count(ALERTS{alertstate="firing"}) or vector(0)'),
    _stat("Replicas that are ready", "sum(serving_ready)"),
    _stat("Requests", _rate("serving_requests_total"), "reqps"),
    _stat(
        "Failed requests",
        '(sum(rate(serving_requests_total{status=~"5.."}[$__rate_interval])) or vector(0)) '
        '/ sum(rate(serving_requests_total[$__rate_interval]))',
        "percentunit",
    ),
    _stat("p99", "histogram_quantile(0.99, sum by (le) (rate(serving_request_seconds_bucket[$__rate_interval])))", "s"),
    _stat("Answers behind", "max(serving_lag_seconds)", "s"),
    Panel("Requests by status", ((_by("status", "serving_requests_total"), "{{status}}"),), "reqps"),
    Panel("Seconds per request", _quantiles("serving_request_seconds", "route"), "s", width=16),
    Panel("Answers behind, by topic", (("max by (topic) (serving_lag_seconds)", "{{topic}}"),), "s"),
    Panel("Seconds that a delta takes to be applied", ((
        "rate(serving_delta_apply_seconds_sum[$__rate_interval]) "
        "/ rate(serving_delta_apply_seconds_count[$__rate_interval])",
        "{{instance}}",
    ),), "s"),
    Panel("Answers with the batch run's data only, by topic", ((
        "max by (topic) (sum by (instance, topic) (serving_head_offset)) "
        "- max by (topic) (sum by (instance, topic) (serving_cut_offset))",
        "{{topic}}: events since the cut",
    ),)),
    Panel("What answers Prometheus", (("up", "{{job}} {{instance}}"),)),
    Panel("CPUs", (("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}"),)),
    Panel("Memory", (("process_resident_memory_bytes", "{{job}} {{instance}}"),), "bytes"),
    Panel("Kafka", (
        ("sum(kafka_active_controllers)", "active controllers"),
        ("sum(kafka_offline_partitions)", "offline partitions"),
        ("sum(kafka_under_replicated_partitions)", "partitions that lack replicas"),
    )),
    Panel("MinIO: drives", (
        ("max(minio_cluster_drive_online_total)", "online"), ("max(minio_cluster_drive_offline_total)", "offline"),
    )),
    Panel("MinIO: capacity", (
        ("max(minio_cluster_capacity_usable_total_bytes)", "there"), ("max(minio_cluster_capacity_usable_free_bytes)",
        "free"),
    ), "bytes"),
)  # fmt: skip
DASHBOARDS = {
    "pipeline": ("Pipeline", PIPELINE),
    "quality": ("Data quality", QUALITY),
    "service": ("Service", SERVICE),
}


def printed(name: str) -> str:
    """The JSON of a dashboard."""
    title, panels = DASHBOARDS[name]
    placed, x, y, lowest = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        height = HEIGHTS[panel.kind]
        if x + panel.width > COLUMNS:
            x, y = 0, lowest
        placed.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x, lowest = x + panel.width, max(lowest, y + height)
    dashboard = {
        "uid": f"learning-{name}", "title": title, "tags": ["learning-analytics"], "schemaVersion": 39, "version": 1,
        "editable": False, "timezone": "utc", "refresh": "15s", "time": {"from": "now-1h", "to": "now"},
        "panels": placed,
    }  # fmt: skip
    return json.dumps(dashboard, indent=1) + "\n"


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query, "legendFormat": legend or "__auto",
            "instant": instant, "range": not instant, "format": "table" if panel.kind == "table" else "time_series",
        }
        for index, (query, legend) in enumerate(panel.queries)
    ]  # fmt: skip
    return {
        "id": number, "type": panel.kind, "title": panel.title, "gridPos": place, "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []}, "options": {},
    }  # fmt: skip


def main() -> None:
    """Write every dashboard."""
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(printed(name), encoding="utf-8")
        print(FOLDER / f"{name}.json")


if __name__ == "__main__":
    main()
