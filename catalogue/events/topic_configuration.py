"""How Kafka keeps a topic."""

from __future__ import annotations

from catalogue.events.schema import Topic

DAY_MS = 86_400_000


def topic_config(topic: Topic) -> dict[str, str]:
    """Kafka's settings of a topic: its own clock stamps arrivals, nothing is compacted."""
    retention = -1 if topic.retention_days is None else topic.retention_days * DAY_MS
    return {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(retention),
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": "20971520",
    }
