"""Types of events dealt from decks, so that their shares hold in every stretch of a stream."""

from __future__ import annotations

import random
from collections.abc import Iterator

from catalogue.events import TOPICS


def dealt(rng: random.Random) -> Iterator[str]:
    """Names of event types for ever: topics by their share, in each its types by their weight."""
    topics = list(TOPICS.values())
    blocks = _deck({t.name: t.share for t in topics}, 100)
    decks = {t.name: _deck({e.name: e.weight for e in t.event_types}, 1000) for t in topics}
    hands: dict[str, list[str]] = {name: [] for name in decks}
    while True:
        rng.shuffle(blocks)
        for topic in blocks:
            hand = hands[topic]
            if not hand:
                hand.extend(decks[topic])
                rng.shuffle(hand)
            yield hand.pop()


def _deck(shares: dict[str, float], cards: int) -> list[str]:
    """Names in proportion to their shares, each at least once."""
    total = sum(shares.values())
    return [name for name, share in shares.items() for _ in range(max(1, round(share / total * cards)))]
