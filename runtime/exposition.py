"""A process' metrics as Prometheus gets them: scraped at METRICS_PORT, or left behind by a process that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    pushadd_to_gateway,
    start_http_server,
    write_to_textfile,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.core import Metric as Family

from runtime.metrics import METRICS, Kind, Metric
from runtime.settings import Settings, SettingsError

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which nobody asks for
TIMEOUT_SECONDS = 10
Collect = Callable[[], Iterator[Family]]
_FAMILIES = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.SUMMARY: SummaryMetricFamily,
}


class Exposition:
    """The metrics of one process. `exposition[name]` is a live Counter, Gauge or Histogram, made when first asked for.

    What is known only when it is asked for comes from a `collect` function that yields families.
    """

    def __init__(self, process: str):
        self.registry = CollectorRegistry()
        self._declared = {m.name: m for m in METRICS[process]}
        self._live: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._live:
            self._live[name] = _live(self._declared[name], self.registry)
        return self._live[name]

    def family(self, name: str) -> Any:
        """An empty family of a declared metric, for `collect` functions: `add_metric(labels, …)`, then yield it."""
        metric = self._declared[name]
        return _FAMILIES[metric.kind](name.removesuffix("_total"), metric.meaning, labels=metric.labels)

    def collect_from(self, collect: Collect) -> None:
        """Ask `collect` for families whenever the metrics are asked for."""
        self.registry.register(_Collector(collect))

    def serve(self, settings: Settings) -> None:
        """Answer Prometheus at METRICS_PORT, unless it is empty. SettingsError where the port can't be had."""
        if settings.metrics_port is None:
            return
        ProcessCollector(registry=self.registry)
        try:
            start_http_server(settings.metrics_port, settings.metrics_host, self.registry)
        except OSError as error:
            place = f"{settings.metrics_host}:{settings.metrics_port}"
            raise SettingsError(f"setting METRICS_PORT: must be free; got {place}: {error.strerror}") from error

    def leave(self, place: str, job: str, outcome: str) -> None:
        """Leave the metrics at `place`: a Pushgateway's http address, or a folder of node exporter's textfiles.

        `outcome` names the file in the folder, so that a failure doesn't hide what the last success said. OSError where
        they can't be left.
        """
        if place.startswith(("http://", "https://")):
            try:
                pushadd_to_gateway(place, job, self.registry, timeout=TIMEOUT_SECONDS)
            except HTTPException as error:  # something answers there, but no Pushgateway
                raise OSError(f"{type(error).__name__}: {error}") from error
        else:
            write_to_textfile(str(Path(place) / f"{job}-{outcome}.prom"), self.registry)


class _Collector:
    def __init__(self, collect: Collect):
        self.collect = collect

    def describe(self) -> list[Family]:
        """Nothing: what it yields may depend on the moment."""
        return []


def _live(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if metric.kind is Kind.HISTOGRAM:
        return Histogram(metric.name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)
    kind = Counter if metric.kind is Kind.COUNTER else Gauge
    return kind(metric.name, metric.meaning, metric.labels, registry=registry)
