"""The memory that requests may take together, from their first byte until Kafka has what they brought."""

from __future__ import annotations

from ingestion_layer.collecting.refusals import come_again


class Budget:
    """Counts bytes that wait; who would go beyond `most` is told to come again."""

    def __init__(self, most: int):
        self.most, self.waiting = most, 0

    def take(self, size: int) -> None:
        """Account for `size` more bytes; Refused with 503 where there are too many."""
        if self.waiting + size > self.most:
            raise come_again("memory", f"must have at most {self.most} bytes waiting; come again")
        self.waiting += size

    def give(self, size: int) -> None:
        """`size` bytes wait no longer."""
        self.waiting -= size
