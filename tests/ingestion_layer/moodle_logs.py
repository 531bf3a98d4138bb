"""Moodle's logs of a few rows, for tests."""

from __future__ import annotations

from pathlib import Path

from tests.ingestion_layer.replaying import Replayed, replay, written

HEADER = "user,timecreated,Event.context,Component,Event.name"
PAGE = "Time,User full name,Affected user,Event context,Component,Event name,Description,Origin,IP address"
VIEW = "m1,2026-03-02T10:00:00,Course: Algebra,System,Course viewed"


def log(tmp_path: Path, *rows: str, header: str = HEADER, name: str = "algebra/events.csv", **options: str) -> Replayed:
    """What a log of these rows becomes."""
    return replay("moodle", [written(tmp_path, {name: [header, *rows]}) / name], **options)


def said(events: list[dict], *fields: str) -> list[tuple]:
    return sorted(tuple(event.get(field) for field in fields) for event in events)
