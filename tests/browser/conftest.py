"""A real Chromium that looks at a real server's dashboard."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest

from deployment import dashboard
from deployment.installation import tool
from deployment.packages import need
from ingestion_layer.collecting.sources import Source, add_source
from ingestion_layer.offline import land_file
from runtime.storage.opening import open_store
from serving_layer.advising.advice import Advices, advice
from tests.laws.test_batch import by_the_oracle
from tests.laws.test_merged import Platform
from tests.oracle.counting import Record
from tests.oracle.histories import history_of
from tests.serving_layer.conftest import Server, serving

LIMIT = 180
PAGES = "Grafana=http://127.0.0.1:9/grafana,MinIO=http://127.0.0.1:9/minio"
# What advisers have written, before anything happened.
ADVICE = (
    ("SV001", "acknowledged", ""),
    ("SV001", "contacted", "Wrote a mail about <b>late</b> work."),
    ("SV002", "contacted", "Đã gọi điện."),
    ("SV001", "outcome", "Will hand in & come again. \u202edrawkcab"),
)
# Names that a careless page would take for its own markup, turn around, or break at.
HOSTILE = ("<script>document.title='taken'</script>", "\u202edrawkcab", "x" * 128, "a&b=c#d/e?f%20g", "Đại số – 'một'")


class Browser:
    """Visits pages of `address`."""

    def __init__(self, address: str):
        dashboard.modules()
        self.address = address
        self.command = [tool("node", dashboard.NODE), "tests/visit.mjs", need("chromium", "chromium")]

    def start(self, visits: list[dict[str, Any]]) -> subprocess.Popen[str]:
        """Begin with the visits; a line of standard output for each, and for each `say` in its steps."""
        addressed = [{**visit, "url": f"{self.address}/{visit['url']}"} for visit in visits]
        process = subprocess.Popen(
            self.command, cwd=dashboard.SOURCES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin
        process.stdin.write(json.dumps(addressed) + "\n")
        process.stdin.flush()
        return process

    def visit(self, *visits: dict[str, Any]) -> list[dict[str, Any]]:
        """What is seen at each of the visits."""
        process = self.start(list(visits))
        try:
            told, _ = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
        assert process.returncode == 0
        return [json.loads(line) for line in told.splitlines()]


def clicks(records: list[Record], names: Iterable[str]) -> list[Record]:
    """An event of each of these people in a course of the same name, after the others of their partition."""
    last = max((r for r in records if r.topic == "course_topic" and r.partition == 0), key=lambda r: r.offset)
    found = []
    for offset, name in enumerate(names, last.offset + 1):
        event = {
            "event_id": f"00000000-0000-4000-8000-{offset:012}",
            "event_category": "COURSE",
            "event_type": "ITEM_CLICK",
            "user_id": name,
            "role": "student",
            "timestamp": "2026-03-01 10:00:00",
            "course_id": name,
            "item_id": name,
            "item_type": "page",
        }
        found.append(Record("course_topic", 0, offset, last.kafka_timestamp, json.dumps(event).encode()))
    return found


def _lived(platform: Platform) -> None:
    """Beside its views: events that ingestion has rejected, a source of the collector, and what advisers wrote."""
    source = platform.folder / "rejected.jsonl"
    lines = [record.value for record in platform.records if b"\n" not in record.value][:800]
    source.write_bytes(b"\n".join(lines))
    raw, rejected = (open_store(str(platform.folder / name)) for name in ("landed", "quarantine"))
    land_file(source, raw, rejected, max(record.kafka_timestamp for record in platform.records))
    add_source(open_store(str(platform.folder / "collector_sources")), Source("moodle", "xapi", role="student"))
    advices = Advices(open_store(str(platform.folder / "identity")))
    for number, (student, kind, text) in enumerate(ADVICE):
        advices.add(advice(student, "AD001", kind, text, f"written-{number}", f"2026-01-0{1 + number}T08:00:00.000Z"))


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server that has a run and deltas."""
    dashboard.bundle()
    records = history_of(Random(7), 1500)
    platform = Platform(tmp_path_factory.mktemp("browser"), records + clicks(records, HOSTILE), 7)
    for _ in range(2):
        platform.micro_batch(0.6)
        platform.run_batch(at_boundary=True)
    while platform.waiting():
        platform.micro_batch(1.0)
    _lived(platform)
    with serving(platform, POLL_SECONDS="0.2", OPERATOR_PAGES=PAGES) as running:
        yield running


@pytest.fixture
def views(server) -> dict[str, list[dict]]:
    """All views of what that server has by now, by the oracle."""
    found, *_ = by_the_oracle(tuple(server.platform.covered(server.platform.speed.head)))
    return found


@pytest.fixture(scope="session")
def browser(server) -> Browser:
    """A browser for that server."""
    return Browser(server.address)
