"""Prometheus metrics of the speed layer, one set per process, whatever starts its stream has."""

from __future__ import annotations

from catalogue.at_rest.deltas import Delta
from runtime.exposition import Exposition
from runtime.kafka_ends import lags
from runtime.kafka_offsets import Offsets

EXPOSITION = Exposition("speed")
EVENTS = EXPOSITION["speed_events_total"]
HEAD = EXPOSITION["speed_head_offset"]
LAG = EXPOSITION["speed_lag_events"]
MOMENT = EXPOSITION["speed_last_delta_timestamp_seconds"]
SECONDS = EXPOSITION["speed_delta_seconds"]
DELTAS = EXPOSITION["speed_deltas"]
MERGED = EXPOSITION["speed_deltas_merged_total"]
DROPPED = EXPOSITION["speed_deltas_dropped_total"]
STARTS = EXPOSITION["speed_starts_total"]


def started(head: Offsets) -> None:
    """The stream starts at `head`."""
    STARTS.inc()
    MOMENT.set_to_current_time()
    _at(head)


def published(delta: Delta, kept: int, seconds: float) -> None:
    """A delta was published; `kept` are there now."""
    SECONDS.observe(seconds)
    MOMENT.set_to_current_time()
    DELTAS.set(kept)
    for topic, partitions in delta.ledger.items():
        for entry in partitions.values():
            for fate, count in entry.items():
                EVENTS.labels(topic, fate).inc(count)
    _at({topic: delta.ends(topic) for topic in delta.ranges})


def compacted(merged: int, dropped: int, kept: int) -> None:
    """Old deltas were merged or dropped."""
    MERGED.inc(merged)
    DROPPED.inc(dropped)
    DELTAS.set(kept)


def behind(ends: Offsets, head: Offsets) -> None:
    """Kafka ends at `ends`."""
    for topic, waiting in lags(ends, head).items():
        LAG.labels(topic).set(waiting)


def _at(head: Offsets) -> None:
    for topic, partitions in head.items():
        for partition, end in partitions.items():
            HEAD.labels(topic, partition).set(end)
