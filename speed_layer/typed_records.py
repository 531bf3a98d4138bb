"""What a delta holds of a topic: the rollups of its views and windows, and the typed columns that they read."""

from __future__ import annotations

from functools import cache

from catalogue.events import TOPICS
from catalogue.sql.typed_events import fields_read, persons_of
from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from catalogue.views.windows import WINDOW_ROLLUPS

ALWAYS = ("event_id", "event_type", "ts", "date", "hour")


@cache
def rollups_of(topic: str) -> tuple[Rollup, ...]:
    """The rollups that a delta holds for a topic: those of the views and those of the windows."""
    return tuple(r for r in (*ROLLUPS.values(), *WINDOW_ROLLUPS.values()) if r.topic == topic)


@cache
def columns_of(topic: str) -> tuple[str, ...]:
    """The typed columns that the topic's rollups read."""
    words = set().union(*(r.words for r in rollups_of(topic)))
    return fields_read(TOPICS[topic], words | {*persons_of(topic)}, ALWAYS)
