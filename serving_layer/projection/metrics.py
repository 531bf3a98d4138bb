"""Prometheus metrics of the projection."""

from __future__ import annotations

from runtime.exposition import Exposition
from serving_layer.projection.excerpt import Excerpt


class ProjectionMetrics:
    """What was written to the database, and when it was last known to have everything."""

    def __init__(self) -> None:
        self.exposition = Exposition("projection")
        self.transactions, self.rows = (
            self.exposition[f"projection_{name}_total"] for name in ("transactions", "rows")
        )
        self.failures, self.seconds = (
            self.exposition[f"projection_{name}"] for name in ("failures_total", "transaction_seconds")
        )
        self.heads = self.exposition["projection_head_offset"]
        self.moment = self.exposition["projection_current_timestamp_seconds"]
        self.moment.set_to_current_time()

    def wrote(self, found: Excerpt, changed: int, seconds: float) -> None:
        """A transaction has brought the database to a head, by so many rows deleted or inserted."""
        self.transactions.inc()
        self.rows.inc(changed)
        self.seconds.observe(seconds)
        for topic, partitions in found.head.items():
            for partition, end in partitions.items():
                self.heads.labels(topic, partition).set(end)

    def is_current(self) -> None:
        """The database has all that is served."""
        self.moment.set_to_current_time()

    def failed(self) -> None:
        """A step failed, and the database stayed as it was."""
        self.failures.inc()
