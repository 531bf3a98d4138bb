"""Replays inside the process: files in, events and the summary out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestion_layer.replay import Options, Replay
from ingestion_layer.replay.moments import Clock
from ingestion_layer.replay.tally import Tally

Event = dict[str, object]


class Replayed(NamedTuple):
    """What came out: events in their order, and what became of the rows."""

    events: list[Event]
    tally: Tally

    def of(self, name: str) -> list[Event]:
        """The events of a type."""
        return [event for event in self.events if event["event_type"] == name]

    def ids(self) -> set[object]:
        """The identities of the events."""
        return {event["event_id"] for event in self.events}


def replay(
    form: str, paths: Sequence[Path], zone: str = "UTC", course: str | None = None, role: str | None = None
) -> Replayed:
    """One call over files and folders; the rows add up."""
    source = Replay(paths, form, Options(Clock(zone), course, role))
    events = [json.loads(value) for _, _, value in source]
    source.notes()
    tally = source.tally
    assert tally.read == tally.mapped + tally.reasons.total() and tally.events.total() == len(events)
    return Replayed(events, tally)


def written(folder: Path, files: Mapping[str, str | bytes | Iterable[str]]) -> Path:
    """`folder`, with these files in it: texts, bytes, or lines."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, str | bytes):
            content = "".join(f"{line}\n" for line in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
