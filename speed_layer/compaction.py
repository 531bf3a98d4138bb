"""Fewer, larger deltas: old ones are merged, and those that every kept batch run has overtaken are dropped.

A merged delta gets a manifest of its own before those that it stands for go, so that a reader finds one or the other.
Deltas are never merged across a cut of a run that is kept.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalogue.at_rest.deltas import Delta, Vector
from catalogue.at_rest.ledger import Ledger, add_ledger
from catalogue.at_rest.runs import current, kept_runs
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.views.windows import WINDOW_HOURS
from runtime.storage.store import Store
from speed_layer.published_deltas import PublishedDeltas
from speed_layer.typed_records import rollups_of

MERGED_AT_ONCE = 600
FEWEST_MERGED = 2
Cuts = list[dict[str, Vector]]


def kept_cuts(batch: Store) -> Cuts:
    """The cuts of every run that is kept, the published one among them."""
    published, tag = current(batch)
    return [run.cut for run in (*kept_runs(batch), *([published] if tag else []))]


def compact(deltas: PublishedDeltas, cuts: Cuts, age_seconds: float) -> int:
    """Merge the deltas that are older than `age_seconds`; how many were merged away."""
    gone = 0
    for group in _groups(deltas.all, cuts, _before(dt.timedelta(seconds=age_seconds))):
        deltas.replace(group, _merged(deltas.store, group))
        gone += len(group)
    return gone


def drop_overtaken(deltas: PublishedDeltas, cuts: Cuts) -> int:
    """Delete the deltas below every kept cut that no window needs any more; how many."""
    if not cuts:
        return 0
    limit = _before(dt.timedelta(hours=WINDOW_HOURS))
    old = [d for d in deltas.all if d.created_at < limit and all(map(d.is_below, cuts))]
    deltas.drop(old)
    return len(old)


def _before(age: dt.timedelta) -> str:
    return (dt.datetime.now(dt.UTC) - age).isoformat()


def _groups(deltas: Iterable[Delta], cuts: Cuts, limit: str) -> list[list[Delta]]:
    """Runs of neighbours, old enough, that meet in every topic and have no kept cut between them."""
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


def _merged(store: Store, group: list[Delta]) -> Delta:
    """The manifest of a delta that says what those of a group say, its files written already."""
    first, last = group[0], group[-1]
    name = f"{first.number:020}-{last.last:020}-{uuid.uuid4().hex[:8]}.parquet"
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("data", "ids"):
            for number, delta in enumerate(group):
                store.download(getattr(delta, kind), f"{folder}/{kind}-{number}.parquet")
        merge_files(Path(folder))
        for kind in ("data", "ids"):
            store.upload(f"{folder}/{kind}.parquet", f"{kind}/{name}")
    ledger: Ledger = {}
    for delta in group:
        add_ledger(ledger, delta.ledger)
    return Delta(
        number=first.number,
        last=last.last,
        created_at=last.created_at,
        begun_at=first.begun_at or first.created_at,
        ranges={
            t: {p: [start, last.ranges[t][p][1]] for p, (start, _) in bounds.items()}
            for t, bounds in first.ranges.items()
        },
        ledger=ledger,
        origin=first.origin,
        newest={t: max(d.newest.get(t, "") for d in group) for t in TOPICS if any(t in d.newest for d in group)},
        data=f"data/{name}",
        ids=f"ids/{name}",
        rules=first.rules,
        erased=first.erased,
    )


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
    con.close()
    ids = (pq.read_table(file) for file in sorted(folder.glob("ids-*.parquet")))
    pq.write_table(pa.concat_tables(ids), folder / "ids.parquet")
