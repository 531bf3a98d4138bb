"""One day that comes as files, live by the collector, and both: all views are the oracle's, each event once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalogue.views import VIEWS
from deployment.local_stack import LocalStack
from ingestion_layer.collecting.sources import Source, add_source
from ingestion_layer.replay import Replay
from ingestion_layer.sinks import KafkaSink
from runtime.storage.local import LocalStore
from tests.deployment.persons.keeping import Kept, check_all
from tests.ingestion_layer.collecting.conftest import LIMIT, ROOT, Collector, Topics
from tests.laws.test_merged import answering, opened, rows_of
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.histories import landed
from tests.oracle.views import all_views

SAMPLES = ROOT / "tests" / "samples"
ROUTES = {"events": "/events", "xapi": "/xapi/statements", "caliper": "/caliper", "edx": "/edx"}
SENT_AT_ONCE = 100
# Beside the day of others: so many people and events that every view has rows.
OWN = "--events 700 --students 12 --courses 2 --seed 15 --start 2026-03-02 --end 2026-03-03"
TROUBLE = "--duplicates 0.03 --invalid 0.03"


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> dict[str, Path]:
    """What happened, in a file of each form, in the order in which it did."""
    folder = tmp_path_factory.mktemp("day")
    own = folder / "events.jsonl"
    command = [sys.executable, str(ROOT / "ingestion_layer" / "producer.py"), *OWN.split(), *TROUBLE.split()]
    subprocess.run([*command, "--output", str(own)], check=True, timeout=LIMIT, capture_output=True)
    files = {"events": own}
    for form, name, moments in (
        ("xapi", "xapi/statements.jsonl", ("timestamp",)),
        ("caliper", "caliper/events.jsonl", ("eventTime",)),
        ("edx", "edx/tracking.log", ("time", "timestamp")),
    ):
        lines = [line for line in (SAMPLES / name).read_bytes().splitlines() if line.startswith(b"{")]
        lines.sort(key=lambda line: str(next((v for m in moments if (v := json.loads(line).get(m))), "")))
        files[form] = folder / f"{form}.jsonl"
        files[form].write_bytes(b"\n".join(lines) + b"\n")
    return files


@pytest.fixture(scope="module")
def live(stack: LocalStack, tmp_path_factory) -> Iterator[Live]:
    """A collector, and for each of the two ways a source by each standard, which knows nothing of the other's."""
    folder = tmp_path_factory.mktemp("live")
    store = LocalStore(folder / "sources")
    keys = {
        (way, form): add_source(store, Source(f"{way}-{form}", form)) for way in ("live", "both") for form in ROUTES
    }
    running = Live(Collector(folder, stack.environment, AUTHENTICATION="required"), keys)
    try:
        running.collector.wait()
        yield running
    finally:
        running.collector.stop()


class Live:
    """Sends a day by HTTP."""

    def __init__(self, collector: Collector, keys: dict[tuple[str, str], str]):
        self.collector, self.keys = collector, keys

    def send(self, way: str, day: dict[str, Path]) -> None:
        """Every line of every file, in its order, many at once."""
        for form, path in day.items():
            lines = path.read_bytes().splitlines()
            for start in range(0, len(lines), SENT_AT_ONCE):
                self._send(way, form, lines[start : start + SENT_AT_ONCE])

    def _send(self, way: str, form: str, lines: list[bytes]) -> None:
        is_list = form in ("xapi", "caliper")
        content = b"[" + b",".join(lines) + b"]" if is_list else b"\n".join(lines)
        headers = {"Authorization": f"Bearer {self.keys[way, form]}", "X-Experience-API-Version": "1.0.3"}
        headers["Content-Type"] = "application/json" if is_list else "application/x-ndjson"
        answer = httpx.post(self.collector.address + ROUTES[form], content=content, headers=headers, timeout=LIMIT)
        if answer.status_code in (400, 422) and len(lines) > 1:  # one that is none of its standard spoils its list
            for line in lines:
                self._send(way, form, [line])
        else:
            assert answer.status_code in (200, 422), (form, answer.text, lines)


def replay(stack: LocalStack, day: dict[str, Path]) -> None:
    """Let the replays of files send it."""
    sink = KafkaSink(stack.settings, fast=True)
    for form, path in day.items():
        for record in Replay([path], form):
            sink.send(record)
    sink.close()


def views_of(folder: Path, records: list[Record]) -> dict[str, list[dict[str, Any]]]:
    """All views as they are served over records of Kafka: a part from a batch run, a part from deltas."""
    platform = Kept(folder, records, 3)
    platform.ingest(0.6)
    platform.micro_batch(0.4)
    platform.run()
    platform.micro_batch(1.0)
    while platform.waiting():
        platform.micro_batch(1.0)
    state = opened(platform)
    try:
        check_all(platform, state)
        answers = answering(state)
        found = {view: rows_of(state, answers, view)[0] for view in VIEWS}
        answers.snapshots.drop_old(everything=True)
        return found
    finally:
        state.stop()


def test_all_views_are_the_oracles_however_the_day_comes(stack, live, day, tmp_path):
    came: dict[str, list[Record]] = {}
    for way in ("files", "live", "both"):
        topics = Topics(stack.settings.kafka_bootstrap_servers)
        if way != "files":
            live.send(way, day)
        if way != "live":
            replay(stack, day)
        came[way] = topics.arrived()
    assert len(came["both"]) > 1.9 * len(came["live"]) > 1500, "it came twice"
    expected = all_views(landed(came["files"]))
    assert [view for view in VIEWS if not expected[view]] == []
    for way, records in came.items():
        found = views_of(tmp_path / way, records)
        wrong = {view: told for view in VIEWS if (told := differences(expected[view], found[view])[:2])}
        assert not wrong, (way, wrong)
