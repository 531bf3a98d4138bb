"""Kafka's own choice of a partition by key, for who sends to it and who lands files as if they came from it."""

from __future__ import annotations

from functools import lru_cache

from kafka.partitioner.default import murmur2

KEYS_KNOWN = 2**18


@lru_cache(KEYS_KNOWN)
def _hash(key: bytes) -> int:
    """A user's hash is computed once, not for every event."""
    return int(murmur2(key))


def partition_of(key: bytes, partitions: int) -> int:
    """Number of the partition, of so many, that Kafka's default partitioner sends a key to."""
    return (_hash(key) & 0x7FFFFFFF) % partitions
