"""Documents that this platform exported: each carries the event that it was made of, and becomes it again."""

from __future__ import annotations

from typing import Any

import orjson

from catalogue.events import COMMON, EVENT_TYPES
from catalogue.events.exchange import CARRIED
from ingestion_layer.replay.event import event
from ingestion_layer.replay.identity import plain_uuid
from ingestion_layer.replay.moments import Clock
from ingestion_layer.replay.row import MALFORMED, Record, Unmapped

_GIVEN = ("event_id", "event_category", "event_type", "user_id", "timestamp")


def carried(extensions: Any, key: str, clock: Clock) -> Record | None:
    """The event in a document's extensions, by its own id or else by `key`; None where there is none that is valid."""
    told = extensions.get(CARRIED) if isinstance(extensions, dict) else None
    if not isinstance(told, dict):
        return None
    try:
        known = EVENT_TYPES[told["event_type"]]
        names = [field.name for field in (*COMMON, *known.fields) if field.name not in _GIVEN]
        fields = {name: told[name] for name in names if told.get(name) is not None}
        event_id = plain_uuid(told.get("event_id")) or key
        topic, user, body = event(known.name, event_id, told["user_id"], clock.read(told["timestamp"]), **fields)
        # Optional values that the catalogue doesn't list are left out of what others send, not of our own.
        return topic, user, orjson.dumps(orjson.loads(body) | fields)
    except (Unmapped, *MALFORMED):
        return None
