"""Our own JSON lines, as `--output` writes them: the bytes go out as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from catalogue.events import TOPICS
from ingestion_layer.replay.event import is_valid
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.format import Format
from ingestion_layer.replay.row import Record
from ingestion_layer.replay.tally import Tally, named

_TOPIC_OF = {topic.category: topic.name for topic in TOPICS.values()}


class Own(Format):
    """One record per line whose category names a topic, in the order of the lines; invalid ones go out and are
    counted.
    """

    name = "events"

    def records(self, files: list[Path], tally: Tally) -> Iterator[Record]:
        """The lines, unchanged."""
        for file, path in enumerate(files):
            number = 0
            try:
                for line in Lines(path):
                    line = line.strip(b"\r\n\0")
                    if line:
                        number += 1
                        yield from self._record(line, file, number, tally)
            except Damaged as damage:
                tally.read += 1
                tally.reject(file, number + 1, str(damage))

    def _record(self, line: bytes, file: int, number: int, tally: Tally) -> Iterator[Record]:
        tally.read += 1
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            tally.reject(file, number, "not JSON")
            return
        category = value.get("event_category") if isinstance(value, dict) else None
        topic = _TOPIC_OF.get(category) if isinstance(category, str) else None
        if topic is None:  # no topic could take it
            tally.reject(file, number, "event_category names no topic")
            return
        tally.mapped += 1
        tally.events[named(value.get("event_type"))] += 1
        tally.invalid += not is_valid(value, self.options.clock)
        user = value.get("user_id")
        yield topic, user.encode() if isinstance(user, str) else b"", line
