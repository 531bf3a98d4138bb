"""The views on real data, through the producer's replay and a raw folder, against the oracle.

The project's samples always; by `make test-replays`, where they are at hand, the whole logs, and two modules of OULAD
with all they have.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from batch_layer.run_batch_jobs import main
from catalogue.views import VIEWS
from tests.ingestion_layer.test_producer import produce
from tests.laws.test_batch import check, current
from tests.oracle.counting import Record
from tests.oracle.histories import write_raw
from tests.oracle.validity import RULES

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
DATA = Path(os.environ.get("LEARNING_DATA") or ROOT.parent / "shared" / "data")
ARRIVED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
PARTITIONS = 3
SETS = {
    "samples": (
        ("moodle", SAMPLES / "moodle" / "events.csv"),
        ("oulad", SAMPLES / "oulad"),
        ("xapi", SAMPLES / "xapi" / "statements.jsonl"),
        ("caliper", SAMPLES / "caliper" / "events.jsonl"),
        ("edx", SAMPLES / "edx" / "tracking.log"),
    ),
    "large": (
        ("moodle", DATA / "moodle_uef" / "events.csv.gz"),
        ("oulad", DATA / "oulad"),
        ("xapi", DATA / "funmooc_xapi" / "statements.jsonl.gz"),
    ),
}
AT_HAND = [
    pytest.param(name, marks=[pytest.mark.thorough] if name == "large" else [])
    for name, found in SETS.items()
    if all(path.exists() for _, path in found)
]


def modules(oulad: Path, folder: Path) -> Path:
    """OULAD's two smallest modules: the whole of it would take the oracle minutes."""
    folder.mkdir()
    for path in oulad.glob("*.csv*"):
        with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
            named = path.name.startswith(("studentRegistration", "assessments", "vle", "studentVle"))
            kept = [line for n, line in enumerate(lines) if n == 0 or not named or "AAA" in line or "GGG" in line]
        (folder / path.name.removesuffix(".gz")).write_text("".join(kept))
    return folder


def sent(folder: Path, replays: tuple[tuple[str, Path], ...]) -> Iterator[tuple[str, bytes, bytes]]:
    """Topic, key and value of what the producer's replays write, as it sends them to Kafka."""
    topics = {category: topic for topic, (category, _) in RULES.items()}
    for form, path in replays:
        if path == DATA / "oulad":
            path = modules(path, folder / "oulad")
        output = folder / f"{form}.jsonl"
        done = produce("--replay", path, "--format", form, "--output", output)
        assert done.returncode == 0, done.stderr
        with open(output, "rb") as lines:
            for line in lines:
                event = json.loads(line)
                yield topics[event["event_category"]], event["user_id"].encode(), line.rstrip(b"\n")


@pytest.fixture(scope="module", params=AT_HAND)
def arrived(request, tmp_path_factory) -> list[Record]:
    """What Kafka would hold: partitioned by user, each fiftieth event sent once more a little later."""
    rng = Random(1)
    offsets: dict[tuple[str, int], int] = {}
    records: list[Record] = []
    for topic, key, value in sent(tmp_path_factory.mktemp("replay"), SETS[request.param]):
        place = (topic, zlib.crc32(key) % PARTITIONS)
        for _ in range(2 if rng.random() < 0.02 else 1):
            offset = offsets[place] = offsets.get(place, -1) + 1
            moment = ARRIVED + dt.timedelta(milliseconds=len(records))
            records.append(Record(*place, offset, moment, value))
    return records


def test_the_views_of_real_data_equal_the_oracle(arrived, tmp_path, capsys):
    write_raw(tmp_path / "raw", arrived, files_per_topic=4, repeats=0.02)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    assert "unreadable" not in capsys.readouterr().err
    check(tmp_path / "out", arrived)
    filled = {name for name, view in current(tmp_path / "out")["views"].items() if view["rows"]}
    without = {"profile", "notification", "auth"}  # what none of the data sets has much of
    created = {"course_terms"}  # and no course is created in them
    assert {v for v in VIEWS if v.split("_")[0] not in without} - created <= filled
