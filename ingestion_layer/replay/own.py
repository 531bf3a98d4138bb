"""Our own JSON lines, as `--output` writes them: the bytes go out as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from catalogue.events import TOPICS
from ingestion_layer.replay.source import Record, lines

_TOPIC_OF = {topic.category: topic.name for topic in TOPICS.values()}


def events(path: Path, skipped: Counter[str]) -> Iterator[Record]:
    """One record per line whose category names a topic; whether it is valid is for validation to say."""
    for line in lines(path):
        line = line.strip(b"\r\n")
        if not line:
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            skipped["line is not JSON"] += 1
            continue
        category = value.get("event_category") if isinstance(value, dict) else None
        topic = _TOPIC_OF.get(category) if isinstance(category, str) else None
        if topic is None:
            skipped["event_category names no topic"] += 1
            continue
        user = value.get("user_id")
        yield topic, user.encode() if isinstance(user, str) else b"", line
