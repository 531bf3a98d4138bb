"""A month of generated events as a raw folder of 21 Kafka partitions, made once per size and kept in the cache."""

from __future__ import annotations

import datetime as dt
import gzip
import re
import shutil
import zlib
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from catalogue.events import TOPICS
from ingestion_layer.clock import DAY, SECOND, Schedule
from ingestion_layer.population import Population
from ingestion_layer.simulation import Simulation
from runtime.settings import cache_folder

DAYS = 30
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
STUDENTS, COURSES = 50_000, 1_000
# A topic's larger histories are copies of one of so many events, each with people of its own: all events of all topics
# are made for each one that is kept.
COPIED = 2_000_000
_STAMP = re.compile(rb'"timestamp":"([^"]+)"')
_OFFSET = re.compile(rb'(?m)^({"topic":"[a-z_]+","partition":\d+,"offset":)(\d+)')
_EVENT, _PERSON = re.compile(rb'("event_id":")....'), re.compile(rb'("user_id":"[^"]+)')


def raw_history(events: int, days: int = DAYS, topic: str = "") -> Path:
    """The raw folder of `events` events of so many days, of one topic or of all; they arrive when they happen."""
    kind = "".join((f"-{days}-days" if days != DAYS else "", f"-{topic}" if topic else ""))
    folder = cache_folder() / "bench" / f"raw-{events}{kind}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        print(f"making {events:,} events", flush=True)
        if topic and events > COPIED:
            _copy(raw_history(COPIED, days, topic), events // COPIED, part)
        else:
            _write(events, part, days, topic)
        part.rename(folder)
    return folder


def warmed(folder: Path) -> Path:
    """The folder, with its files in the page cache as far as they fit: what is measured is work, not the disk."""
    for file in folder.rglob("*.json*"):
        with open(file, "rb") as stream:
            while stream.read(2**22):
                pass
    return folder


def _write(events: int, folder: Path, days: int, only: str) -> None:
    begin = round(START.timestamp()) * SECOND
    # Of one topic's share all events are made, and the others are left out.
    made = round(events / TOPICS[only].share * 1.05) if only else events
    people = Population(1, STUDENTS, COURSES, min(STUDENTS // 2, int(events * 0.006) + 1), begin)
    schedule = Schedule(begin, begin + days * DAY, made, np.random.default_rng(1))
    offsets: dict[tuple[str, int], int] = {}
    files: dict[tuple[str, int], tuple[bytes, BinaryIO]] = {}
    records = Simulation(people, schedule, "bench", 0.0, made).records()
    for topic, key, value in islice((r for r in records if only in ("", r[0])), events):
        partition = zlib.crc32(key) % TOPICS[topic].partitions
        place = topic, partition
        offset = offsets.get(place, 0)
        offsets[place] = offset + 1
        match = _STAMP.search(value)
        assert match, value
        stamp = match[1]
        day = stamp[:10]
        if place not in files or files[place][0] != day:
            if place in files:
                files[place][1].close()
            target = folder / f"topic={topic}" / f"date={day.decode()}"
            target.mkdir(parents=True, exist_ok=True)
            files[place] = day, open(target / f"p{partition}.json", "ab")  # noqa: SIM115
        files[place][1].write(
            b'{"topic":"%s","partition":%d,"offset":%d,"kafka_timestamp":"%sT%sZ","value":%s}\n'
            % (topic.encode(), partition, offset, day, stamp[11:23], value)
        )
    for _, file in files.values():
        file.close()


def _copy(source: Path, copies: int, folder: Path) -> None:
    """Write the files of a history again and again, compressed as ingestion does: people, ids and offsets differ."""
    files = sorted(source.glob("topic=*/date=*/p*.json"))
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.name] += file.read_bytes().count(b"\n")
    for file in files:
        target = folder / file.relative_to(source).with_suffix(".json.gz")
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_bytes()
        with gzip.open(target, "wb", compresslevel=1) as out:
            for copy in range(copies):
                out.write(_copied(lines, copy, copy * sizes[file.name]))


def _copied(lines: bytes, copy: int, offset: int) -> bytes:
    lines = _OFFSET.sub(lambda found: b"%s%d" % (found[1], int(found[2]) + offset), lines)
    return _PERSON.sub(rb"\g<1>-%d" % copy, _EVENT.sub(rb"\g<1>%04x" % copy, lines))
