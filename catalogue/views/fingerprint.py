"""What a state depends on beside the events: how they are judged, which are duplicates, and what is counted of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from catalogue.sql.typed_events import typed_events
from catalogue.views.rollups import Rollup


def fingerprint(rollups: Iterable[Rollup], horizon_days: int, erased: str = "") -> str:
    """The same text for the same rules. A state of `rollups` may be gone on from only while it stays.

    `erased` is the version of who was erased.
    """
    rollups = tuple(rollups)
    events = [typed_events(topic, "raw") for topic in dict.fromkeys(r.topic for r in rollups)]
    texts = (*events, *(r.roll_up("counted") for r in rollups), str(horizon_days), *((erased,) if erased else ()))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
