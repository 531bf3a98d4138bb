"""Which erased events Kafka's log still has: a log isn't rewritten, it forgets by its retention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from catalogue.at_rest.raw_persons import Found
from catalogue.events import TOPICS
from deployment.persons.places import topic_of
from runtime.kafka_offsets import KafkaBounds, OffsetError, Offsets
from runtime.settings import Settings


def still_in_kafka(
    settings: Settings, objects: Mapping[str, Found], earliest_of: Callable[[Settings], Offsets]
) -> list[dict[str, Any]]:
    """A line for each partition of Kafka that holds erased events: from which offset to which, and how many.

    Where Kafka begins says `earliest_of`.

    `earliest` is None where Kafka doesn't answer. `removed_by` says what takes them out of Kafka.
    """
    ends: dict[tuple[str, str], list[int]] = {}
    for path, found in objects.items():
        if path.startswith("raw/"):
            for partition, (first, last, events) in found.offsets.items():
                bounds = ends.setdefault((topic_of(path), partition), [first, last, 0])
                ends[topic_of(path), partition] = [min(bounds[0], first), max(bounds[1], last), bounds[2] + events]
    earliest = earliest_of(settings) if ends else {}
    told = []
    for (topic, partition), (first, last, events) in sorted(ends.items()):
        begins = earliest.get(topic, {}).get(partition)
        if begins is None or begins <= last:
            told.append(
                {
                    "topic": topic,
                    "partition": int(partition),
                    "first": first,
                    "last": last,
                    "events": events,
                    "earliest": begins,
                    "removed_by": _way(topic, partition, last),
                }
            )
    return told


def earliest_offsets(settings: Settings) -> Offsets:
    """Where Kafka's topics begin, by partition; empty where it doesn't answer."""
    try:
        with closing(KafkaBounds(settings, TOPICS)) as kafka:
            return kafka.read()[0]
    except OffsetError:
        return {}


def _way(topic: str, partition: str, last: int) -> str:
    days = TOPICS[topic].retention_days if topic in TOPICS else None
    kept = "Kafka keeps the topic for ever" if days is None else f"Kafka drops them {days} days after their arrival"
    return f"{kept}; at once: kafka-delete-records.sh, {topic} partition {partition}, before offset {last + 1}"
