"""The ledger: how many events met which fate, by topic and partition."""

from __future__ import annotations

Entries = dict[str, dict[str, int]]
Ledger = dict[str, Entries]


def add_entries(total: Entries, fresh: Entries) -> None:
    """Add one topic's figures of `fresh` to `total`, by partition."""
    for partition, entry in fresh.items():
        sums = total.setdefault(partition, {})
        for fate, count in entry.items():
            sums[fate] = sums.get(fate, 0) + count


def add_ledger(total: Ledger, fresh: Ledger) -> None:
    """Add the figures of `fresh` to `total`, topic by topic."""
    for topic, entries in fresh.items():
        add_entries(total.setdefault(topic, {}), entries)
