"""Fewer, larger deltas: old ones are merged, and those that every kept batch run has overtaken are dropped.

A merged delta gets a manifest of its own before those that it stands for go, so that a reader finds one or the other.
Deltas are never merged across a cut of a run that is kept.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from pathlib import Path

from catalogue.at_rest.deltas import Delta, Vector
from catalogue.at_rest.ledger import Ledger, add_ledger
from catalogue.at_rest.runs import current, kept_runs
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.views.windows import WINDOW_HOURS
from speed_layer.speed import Speed
from speed_layer.typed_records import rollups_of

MERGED_AT_ONCE = 600
FEWEST_MERGED = 2


def kept_cuts(speed: Speed) -> list[dict[str, Vector]]:
    """The cuts of every run that is kept, the published one among them."""
    runs = kept_runs(speed.batch)
    published, tag = current(speed.batch)
    return [run.cut for run in (*runs, *([published] if tag else []))]


def compact(speed: Speed) -> int:
    """Merge the deltas that are old enough; how many were merged away."""
    now = dt.datetime.now(dt.UTC)
    cuts = kept_cuts(speed)
    gone = 0
    for group in _groups(speed.deltas, cuts, now, speed.settings.compact_after_seconds):
        merged = _merge(speed, group)
        with speed.lock:
            speed.deltas = [merged if d is group[0] else d for d in speed.deltas if d is group[0] or d not in group]
        speed.speed.delete([d.path for d in group])
        speed.speed.delete([path for d in group for path in (d.data, d.ids)])
        gone += len(group)
    return gone


def drop_overtaken(speed: Speed) -> int:
    """Delete the deltas below every kept cut that no window needs any more; how many."""
    cuts = kept_cuts(speed)
    if not cuts:
        return 0
    limit = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=WINDOW_HOURS)).isoformat()

    def overtaken(delta: Delta) -> bool:
        below = all(
            end <= cut.get(topic, {}).get(p, 0)
            for cut in cuts
            for topic in TOPICS
            if delta.touches(topic)
            for p, end in delta.ends(topic).items()
        )
        return below and delta.created_at < limit

    old = [d for d in speed.deltas if overtaken(d)]
    speed.speed.delete([d.path for d in old])
    speed.speed.delete([path for d in old for path in (d.data, d.ids)])
    with speed.lock:
        speed.deltas = [d for d in speed.deltas if d not in old]
    return len(old)


def _groups(deltas: list[Delta], cuts: list[dict[str, Vector]], now: dt.datetime, age: int) -> list[list[Delta]]:
    """Runs of neighbours, old enough, that meet in every topic and have no kept cut between them."""
    limit = (now - dt.timedelta(seconds=age)).isoformat()
    groups: list[list[Delta]] = [[]]
    for delta in deltas:
        group = groups[-1]
        fits = (
            not group
            or len(group) < MERGED_AT_ONCE
            and group[-1].last + 1 == delta.number
            and all(group[-1].ends(t) == delta.starts(t) for t in TOPICS)
            and not any(_between(delta, cut) for cut in cuts)
        )
        if delta.created_at >= limit or delta.last != delta.number:
            groups.append([])
        elif fits:
            group.append(delta)
        else:
            groups.append([delta])
    return [g for g in groups if len(g) >= FEWEST_MERGED]


def _between(delta: Delta, cut: dict[str, Vector]) -> bool:
    """Whether a topic's cut stands where the delta begins."""
    return any(cut.get(t) and delta.follows(t, cut[t]) for t in TOPICS)


def _merge(speed: Speed, group: list[Delta]) -> Delta:
    first, last = group[0], group[-1]
    name = f"{first.number:020}-{last.last:020}-{uuid.uuid4().hex[:8]}.parquet"
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("data", "ids"):
            for number, delta in enumerate(group):
                speed.speed.download(getattr(delta, kind), f"{folder}/{kind}-{number}.parquet")
        merge_files(Path(folder))
        for kind in ("data", "ids"):
            speed.speed.upload(f"{folder}/{kind}.parquet", f"{kind}/{name}")
    ledger: Ledger = {}
    for delta in group:
        add_ledger(ledger, delta.ledger)
    ranges = {
        t: {p: [start, last.ranges[t][p][1]] for p, (start, _) in bounds.items()} for t, bounds in first.ranges.items()
    }
    newest = {t: max(d.newest.get(t, "") for d in group) for t in TOPICS if any(t in d.newest for d in group)}
    merged = Delta(
        number=first.number,
        last=last.last,
        created_at=last.created_at,
        begun_at=first.begun_at or first.created_at,
        ranges=ranges,
        ledger=ledger,
        origin=first.origin,
        newest=newest,
        data=f"data/{name}",
        ids=f"ids/{name}",
        rules=first.rules,
    )
    speed.speed.create(merged.path, merged.encoded())
    return merged


def merge_files(folder: Path) -> None:
    """Merge `data-*.parquet` and `ids-*.parquet` of a folder into `data.parquet` and `ids.parquet`."""
    con = connect()
    con.execute(f"CREATE VIEW deltas AS FROM read_parquet('{folder}/data-*.parquet', union_by_name = true)")
    present = {row[0] for row in con.execute("SELECT DISTINCT rollup FROM deltas").fetchall()}
    parts = []
    for rollup in (r for topic in TOPICS for r in rollups_of(topic) if r.name in present):
        merged = rollup.merge(f"(SELECT * FROM deltas WHERE rollup = '{rollup.name}')")
        parts.append(f"SELECT '{rollup.name}' AS rollup, * FROM ({merged})")
    union = " UNION ALL BY NAME ".join(parts) or "SELECT * FROM deltas LIMIT 0"
    con.execute(f"COPY ({union}) TO '{folder}/data.parquet' (FORMAT parquet)")
    con.execute(f"COPY (FROM read_parquet('{folder}/ids-*.parquet')) TO '{folder}/ids.parquet' (FORMAT parquet)")
    con.close()
