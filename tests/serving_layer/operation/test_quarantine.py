"""What was rejected is counted by reason as it was landed, however its files are cut, and shown with samples."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from ingestion_layer.offline import land_file
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store
from serving_layer.errors import BadQuery
from serving_layer.operation.quarantine import SAMPLES, Quarantine
from serving_layer.query.deadlines import Deadlines

DAY = "2026-03-01"
VIEW = {"event_category": "COURSE", "event_type": "COURSE_VIEW", "user_id": "SV001", "course_id": "C"}
GOOD = {**VIEW, "timestamp": f"{DAY} 08:00:00"}
FAULTY = (
    [{**GOOD, "course_id": None, "user_id": f"SV10{n}"} for n in range(5)]
    + [{**GOOD, "event_type": "NO_SUCH_TYPE"}]
    + [
        {
            **GOOD,
            "event_category": "VIDEO",
            "event_type": "VIDEO_WATCHED",
            "video_id": "V",
            "watch_duration_seconds": -1,
        }
    ]
)


def quarantined(folder: Path, day: str, lines: list[bytes]) -> Store:
    """The quarantine after ingestion has landed the lines as of that day."""
    source = folder / f"{day}.jsonl"
    source.write_bytes(b"\n".join(lines) + b"\n")
    store = open_store(str(folder / "quarantine"))
    land_file(source, open_store(str(folder / "raw")), store, dt.datetime.fromisoformat(f"{day}T10:00:00+00:00"))
    return store


@pytest.fixture
def store(tmp_path) -> Store:
    lines = [json.dumps(event).encode() for event in (GOOD, *FAULTY)]
    quarantined(tmp_path, "2026-02-28", lines[1:3])
    return quarantined(tmp_path, DAY, [*lines, b'{"user_id": "SV\xff', b"no JSON"])


def landed(store: Store, day: str) -> Counter[tuple[str, str]]:
    """What ingestion's files say, read line by line."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in store.list():
        if f"date={day}/" in entry.path:
            for line in gzip.decompress(store.read(entry.path)).splitlines():
                told = json.loads(line)
                found[told["topic"], told["reason"]] += 1
    return found


def test_every_rejected_event_is_counted_once(store):
    quarantine = Quarantine(store, Deadlines(30))
    found = quarantine.of()
    assert (found.day, found.days) == (DAY, [DAY, "2026-02-28"]) and found.files == found.files_read > 0
    told = {(one["topic"], one["reason"]): one["events"] for one in found.reasons}
    assert told == landed(store, DAY) and sum(told.values()) == len(FAULTY) + 2
    assert [one["events"] for one in found.reasons] == sorted(told.values(), reverse=True)
    for entry in store.list("topic="):  # as an attempt that never committed would leave them
        store.write(entry.path.replace(".json.gz", "-99999999.json.gz"), store.read(entry.path))
    again = quarantine.of()
    assert again.reasons == found.reasons and again.files == 2 * found.files
    assert sum(one["events"] for one in quarantine.of("2026-02-28").reasons) == 2


def test_samples_are_events_as_they_came_and_name_whom_they_show(store):
    found = Quarantine(store, Deadlines(30)).of(DAY)
    by_reason = {one["reason"]: one for one in found.reasons}
    lacking = max(found.reasons, key=lambda one: one["events"])
    places = {(one["partition"], one["offset"]) for one in lacking["samples"]}
    assert len(lacking["samples"]) == len(places) == SAMPLES
    shown = [json.loads(sample["value"]) for sample in lacking["samples"]]
    assert all(event["course_id"] is None for event in shown) and all(one["detail"] for one in lacking["samples"])
    assert {event["user_id"] for event in shown} <= found.persons <= {f"SV10{n}" for n in range(5)} | {"SV001"}
    assert len(by_reason) >= 3


def test_days_without_anything_and_days_that_are_none(store, tmp_path):
    quarantine = Quarantine(store, Deadlines(30))
    assert (quarantine.of("1999-01-01").reasons, quarantine.of("1999-01-01").files) == ([], 0)
    for day in ("yesterday", "2026-3-1", "../..", ""):
        with pytest.raises(BadQuery, match="day"):
            quarantine.of(day)
    nothing = Quarantine(open_store(str(tmp_path / "none")), Deadlines(30)).of()
    assert (nothing.day, nothing.days, nothing.reasons) == (None, [], [])


def test_a_file_that_is_not_whole_is_told(store):
    entry = next(entry for entry in store.list("topic=") if DAY in entry.path)
    store.write(entry.path, b"\x1f\x8b no gzip")
    with pytest.raises(StorageError, match="must be whole"):
        Quarantine(store, Deadlines(30)).of(DAY)
