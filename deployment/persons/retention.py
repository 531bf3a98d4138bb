"""Dropping what is older than its topic is kept: raw events, rejected ones, runs and deltas; disclosures too.

Raw events go only once the published run covers them, by whole days of arrival. Its state keeps what was counted of
them until a topic is computed anew; such a run begins at the floor, the first offsets that raw files still have, and
says so. `_retention.json` below the raw events has the floors.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from batch_layer.publication import drop_runs
from catalogue.at_rest.alive import read_alive
from catalogue.at_rest.deltas import drop_manifests, read_deltas
from catalogue.at_rest.floors import raise_floors
from catalogue.at_rest.raw_files import RawName, newest_commit
from catalogue.at_rest.runs import RunManifest, current, kept_runs
from catalogue.events import TOPICS
from deployment.persons.places import Places, event_files, topic_of
from runtime.errors import PlatformError
from runtime.progress import progress
from serving_layer.disclosure.chains import drop_before


class RetentionError(PlatformError):
    """Nothing can be dropped here; the message is one line for people."""


@dataclass
class Dropped:
    """What went, or would go: paths of raw and rejected events, ids of runs, numbers of deltas, paths of the log of
    what was shown.

    `waiting` are raw files that are old enough, but that no published run covers.
    """

    raw: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def retain(places: Places, dry_run: bool = False, today: dt.date | None = None) -> Dropped:
    """Drop what is older than its topic is kept, and records of what was shown that are older than DISCLOSURE_DAYS.

    RetentionError for raw events that ingestion hasn't landed.
    """
    if newest_commit(places.raw) is None and event_files(places.raw):
        raise RetentionError(f"retention: raw events must be landed by ingestion; {places.raw.uri} has no _commits/")
    today = today or dt.datetime.now(dt.UTC).date()
    first_days = {
        topic.name: (today - dt.timedelta(days=topic.retention_days)).isoformat()
        for topic in TOPICS.values()
        if topic.retention_days is not None
    }
    published = current(places.batch)[0]
    found = Dropped()
    progress("looking for what is older")
    for path in _old(event_files(places.raw), first_days):
        (found.raw if _covers(published, path) else found.waiting).append(path)
    found.quarantine = _old(event_files(places.quarantine), first_days)
    latest = max(first_days.values())  # a run and a delta hold something of the topic that is kept shortest
    found.runs = [m.run for m in kept_runs(places.batch) if m.run != published.run and m.published_at[:10] < latest]
    alive = read_alive(places.speed)
    deltas = []
    if alive is None or alive.gone:  # one that runs drops them itself
        deltas = [d for d in read_deltas(places.speed) if d.created_at[:10] < latest and d.is_below(published.cut)]
        found.deltas = [delta.number for delta in deltas]
    shown_from = today - dt.timedelta(days=places.settings.disclosure_days)
    found.shown = drop_before(places.disclosure, f"{shown_from}T00:00:00Z", dry_run)
    if not dry_run:
        progress("dropping what is older")
        raise_floors(places.raw, _floors(found.raw))
        places.raw.delete(found.raw)
        places.quarantine.delete(found.quarantine)
        drop_runs(places.batch, found.runs)
        drop_manifests(places.speed, deltas)
        places.speed.delete([path for delta in deltas for path in (delta.data, delta.ids)])
    return found


def _old(paths: list[str], first_days: dict[str, str]) -> list[str]:
    return [path for path in paths if path.split("/date=")[1][:10] < first_days.get(topic_of(path), "")]


def _covers(published: RunManifest, path: str) -> bool:
    name = RawName.parsed(path)
    return name.last < published.cut.get(name.topic, {}).get(str(name.partition), 0)


def _floors(paths: list[str]) -> dict[str, dict[str, int]]:
    """The first offsets behind files that go."""
    floors: dict[str, dict[str, int]] = {}
    for path in paths:
        name = RawName.parsed(path)
        mine = floors.setdefault(name.topic, {})
        mine[str(name.partition)] = max(mine.get(str(name.partition), 0), name.last + 1)
    return floors
