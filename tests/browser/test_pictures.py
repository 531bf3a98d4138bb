"""Pictures of the screens on generated data: `make pictures` writes those of `docs/dashboard.md` anew."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from catalogue.events import TOPICS
from deployment import dashboard
from ingestion_layer.offline import land_file
from runtime.storage.opening import open_store
from serving_layer.advising.advice import Advices, advice
from tests.browser.conftest import Browser
from tests.laws.test_merged import Platform
from tests.oracle.counting import Record
from tests.serving_layer.conftest import serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "dashboard.md"
EVENTS, LARGEST = 10_000, 200_000
WIDE, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
PICTURES: dict[str, dict[str, Any]] = {
    "course": {"url": "#/course/COURSE001", **WIDE},
    "student": {"url": "#/student/SV001", **WIDE},
    "adviser": {"url": "#/adviser", **WIDE},
    "compare": {"url": "#/compare", **WIDE},
    "operation": {"url": "#/operation", **WIDE, "theme": "dark"},
    "phone": {"url": "#/course/COURSE001", **PHONE, "language": "vi"},
}
_STAMP = re.compile(rb'(?<="timestamp":")\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?=")')
_TOPIC_OF = {topic.category: topic.name for topic in TOPICS.values()}


def _moved(stamp: bytes, later: dt.timedelta) -> bytes:
    """A timestamp so much later; one that is none as it is."""
    try:
        return f"{dt.datetime.fromisoformat(stamp.decode()) + later}".encode()
    except ValueError:
        return stamp


def generated(file: Path, end: dt.date) -> list[Record]:
    """Events of a small university's four weeks, which end and reach Kafka just now."""
    start = end - dt.timedelta(days=28)
    command = [sys.executable, str(ROOT / "ingestion_layer" / "producer.py"), "--events", str(EVENTS), "--seed", "5"]
    command += ["--students", "60", "--courses", "4", "--start", f"{start}", "--end", f"{end}"]
    subprocess.run([*command, "--invalid", "0.002", "--output", str(file)], check=True, timeout=120)
    offsets: Counter[str] = Counter()
    records = []
    arrival = dt.datetime.now(dt.UTC).replace(microsecond=0)
    later = arrival.replace(tzinfo=None) - dt.datetime.combine(end, dt.time())
    data = _STAMP.sub(lambda found: _moved(found[0], later), file.read_bytes())
    file.write_bytes(data)
    for line in data.splitlines():
        event = json.loads(line) if line.startswith(b"{") and line.endswith(b"}") else {}
        topic = _TOPIC_OF.get(str(event.get("event_category")))
        if topic:
            records.append(Record(topic, 0, offsets[topic], arrival, line))
            offsets[topic] += 1
    return records


def small_university(folder: Path) -> Platform:
    """A platform that has lived for four weeks up to today, and what its advisers wrote."""
    today = dt.datetime.now(dt.UTC).date()
    records = generated(folder / "events.jsonl", today)
    platform = Platform(folder / "platform", records, 1)
    for _ in range(2):
        platform.micro_batch(0.5)
        platform.run_batch(at_boundary=True)
    while platform.waiting():
        platform.micro_batch(1.0)
    raw, rejected = (open_store(str(platform.folder / name)) for name in ("landed", "quarantine"))
    land_file(folder / "events.jsonl", raw, rejected, records[-1].kafka_timestamp)
    advices = Advices(open_store(str(platform.folder / "identity")))
    for number, (student, kind, text) in enumerate((
        ("SV001", "acknowledged", ""),
        ("SV001", "contacted", "Asked by mail whether help is needed."),
        ("SV002", "contacted", "Called; no answer."),
        ("SV001", "outcome", "Joins the tutorial on Thursdays."),
    )):  # fmt: skip
        at = f"{today - dt.timedelta(days=10 - number)}T08:00:00.000Z"
        advices.add(advice(student, "AD001", kind, text, f"written-{number}", at))
    return platform


@pytest.mark.thorough
def test_pictures_are_made(tmp_path):
    dashboard.bundle()
    folder = Path(os.environ.get("PICTURES", tmp_path)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    platform = small_university(tmp_path)
    with serving(platform, OPERATOR_PAGES="Grafana=http://127.0.0.1:9/,MinIO=http://127.0.0.1:9/") as running:
        visits = [{**visit, "picture": str(folder / f"{name}.png")} for name, visit in PICTURES.items()]
        for name, found in zip(PICTURES, Browser(running.address).visit(*visits), strict=True):
            assert (found["errors"], found["violations"]) == ([], []), name
            assert found["panels"], name
            assert not any(panel["trouble"] for panel in found["panels"]), name
    for name in PICTURES:
        picture = (folder / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) <= LARGEST, f"{name}: {len(picture)} bytes"


def test_the_page_shows_every_picture():
    shown = set(re.findall(r"!\[[^\]]+\]\(pictures/(\w+)\.png\)", PAGE.read_text(encoding="utf-8")))
    assert shown == set(PICTURES)
    assert all((ROOT / "docs" / "pictures" / f"{name}.png").stat().st_size <= LARGEST for name in PICTURES)
