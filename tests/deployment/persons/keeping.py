"""A platform over a folder whose raw events ingestion has landed, and people who are erased from it."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

from batch_layer.publication import publish
from batch_layer.run_batch_jobs import compute, new_run
from catalogue.at_rest.erasures import read_erasures
from catalogue.at_rest.runs import current
from catalogue.events import JOBS, TOPICS
from deployment.persons.erasure import erase
from deployment.persons.journal import Journal
from deployment.persons.places import Places
from ingestion_layer.commits import Commits
from ingestion_layer.landing import accounted, land
from serving_layer.state.serving_state import ServingState
from tests.laws.micro_batch import table
from tests.laws.test_merged import Platform, check
from tests.oracle.counting import Record
from tests.oracle.histories import landed
from tests.oracle.validity import Unparseable, parse

KEY = "a key for tests, of 32 characters or more"


def names(record: Record, ids: set[str]) -> bool:
    """Whether an event names one of these people, told a second time."""
    try:
        event = parse(record.value)
    except Unparseable:
        return any(f'"user_id": "{one}"'.encode() in record.value for one in ids)
    told = [event.get("user_id"), event.get("student_id") if record.topic == "assessment_topic" else None]
    return any(isinstance(one, str) and one in ids for one in told)


class Kept(Platform):
    """The same platform, whose batch runs read what ingestion has landed; `gone` are the people who were erased."""

    def __init__(self, folder: Path, records: list[Record], seed: int):
        super().__init__(folder, records, seed)
        self.settings = replace(
            self.settings,
            erasure_key=KEY,
            identity=str(folder / "identity"),
            disclosure_log=str(folder / "disclosure"),
            collector_sources=str(folder / "collector"),
        )
        self.places = Places.of(self.settings)
        self.gone: set[str] = set()
        self.commits: Commits | None = None
        self.speed = self.new_speed()

    def copied(self, folder: Path) -> Kept:
        """The same platform over a copy of what it keeps."""
        shutil.copytree(self.folder, folder)
        copy = Kept(folder, list(self.records), 0)
        copy.rng.setstate(self.rng.getstate())
        copy.commits = Commits.newest(copy.places.raw)
        return copy

    def erase(self, *ids: str) -> Journal:
        """Erase people; the certificate. The invented Kafka has lost the first offset of each partition."""
        return erase(self.places, ids, lambda _: {t: {"0": 1, "1": 1} for t in TOPICS})

    def ingest(self, share: float = 1.0) -> None:
        """Land a part of what ingestion has not landed, in the order of offsets."""
        raw, quarantine = self.places.raw, self.places.quarantine
        if self.commits is None:
            self.commits = Commits.newest(raw)
            self.commits.take_over(raw)
        head = self.commits.head
        waiting = [r for r in self.records if r.offset >= head.get(r.topic, {}).get(str(r.partition), 0)]
        taken = []
        for place in sorted({r[:2] for r in waiting}):
            mine = sorted((r for r in waiting if r[:2] == place), key=lambda r: r.offset)
            taken += mine[: round(len(mine) * share)]
        number, erased = self.commits.number + 1, read_erasures(raw, KEY)
        batches = table(taken).to_batches(97)
        # As Spark's tasks do: a task has one partition.
        rows = []
        for place in sorted({r[:2] for r in taken}):
            batches = table(r for r in taken if r[:2] == place).to_batches(97)
            rows += [row for made in land(iter(batches), raw, quarantine, number, erased) for row in made.to_pylist()]
        self.commits.add(raw, *accounted(rows, head, number))

    def run(self) -> str:
        """Publish a run over what is landed."""
        run = new_run()
        results = compute(run, list(JOBS), False, self.places.raw, self.batch, self.settings)
        publish(self.batch, run, results)
        if not self.speed.leads_on_from(current(self.batch)[0]):
            self.speed = self.new_speed()
        return run

    def has_landed(self, record: Record) -> bool:
        """Whether ingestion has taken a record in."""
        assert self.commits
        return record.offset < self.commits.head[record.topic].get(str(record.partition), 0)

    def covered(self, head: dict) -> list[Record]:
        """The remaining records below a head."""
        return [r for r in super().covered(head) if not names(r, self.gone)]

    def erased_below(self, head: dict) -> dict[str, Counter]:
        """How many landed records named them, by topic and partition."""
        found: dict[str, Counter] = {}
        for record in landed(super().covered(head)):
            if names(record, self.gone):
                found.setdefault(record.topic, Counter())[str(record.partition)] += 1
        return found


def check_all(platform: Kept, state: ServingState) -> None:
    """Views are the oracle's over the remaining events, and the ledger closes with what was erased."""
    check(platform, state)
    assert state.generation
    topics = state.generation.topics
    told = platform.erased_below({t: s.head for t, s in topics.items()})
    for topic, served in topics.items():
        for partition, entry in served.ledger.items():
            fates = {fate: entry.get(fate, 0) for fate in ("counted", "duplicate", "invalid", "erased")}
            assert entry["landed"] == sum(fates.values())
            assert fates["erased"] == told.get(topic, Counter())[partition], (topic, partition)


def again(records: list[Record], ids: set[str]) -> list[Record]:
    """The history with what names these people once more at its end, as a replay brings it."""
    fresh = []
    ends: dict[tuple[str, int], Record] = {}
    for record in sorted(records, key=lambda r: r.offset):
        ends[record[:2]] = record
    for record in [r for r in records if names(r, ids)]:
        last = ends[record[:2]]
        ends[record[:2]] = record._replace(offset=last.offset + 1, kafka_timestamp=last.kafka_timestamp)
        fresh.append(ends[record[:2]])
    return records + fresh
