"""CONTRIBUTING's walk-through, applied to a copy of the project: few files, and every layer follows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "catalogue",
    "runtime",
    "ingestion_layer",
    "batch_layer",
    "speed_layer",
    "serving_layer",
    "config",
    "docs",
    "kafka",
    "tests",
)
EDITED = [
    "catalogue/events/course.py",
    "catalogue/views/course.py",
    "ingestion_layer/scripts/courses.py",
    "tests/oracle/validity.py",
    "tests/oracle/views.py",
]
# The tests that a new type and a new view concern, as CONTRIBUTING names their folders.
CONCERNED = (
    "tests/catalogue/events",
    "tests/catalogue/views",
    "tests/catalogue/test_documents.py",
    "tests/oracle/test_oracle.py::test_a_history_has_every_type_and_every_fate",
    "tests/laws/test_rollups.py::test_a_state_has_the_declared_columns_and_covers_every_event[course_stars]",
    "tests/laws/test_rollups.py::test_any_split_in_any_order_and_grouping[course_stars]",
    "tests/laws/test_rollups.py::test_duplicates_across_cuts_count_once_and_views_equal_the_oracle[course_topic]",
)
# What the copy answers about its own events, through batch, speed and serving: each half of the events is in one.
ANSWER = """
import json, sys
from pathlib import Path
from datetime import UTC, datetime, timedelta
from catalogue.events import TOPICS
from tests.laws.test_merged import Platform, answering, opened, rows_of
from tests.oracle.counting import Record

topics = {t.category: t.name for t in TOPICS.values()}
arrived, records = datetime(2026, 4, 1, tzinfo=UTC), []
for number, line in enumerate(open(sys.argv[1], "rb")):
    topic = topics[json.loads(line)["event_category"]]
    records.append(Record(topic, 0, number, arrived + timedelta(milliseconds=number), line.strip()))
platform = Platform(Path(sys.argv[2]), records, 1)
platform.micro_batch(0.5)
platform.run_batch(at_boundary=True)
platform.micro_batch(1.0)
while platform.waiting():
    platform.micro_batch(1.0)
state = opened(platform)
answers = answering(state)
found = {layer: rows_of(state, answers, "course_ratings", layer)[0] for layer in ("batch", "speed", "merged")}
answers.snapshots.drop_old(everything=True)
ledger = {}
for entry in state.generation.topics["course_topic"].ledger.values():
    for fate, count in entry.items():
        ledger[fate] = ledger.get(fate, 0) + count
state.stop()
print(json.dumps({"rows": found, "ledger": ledger}))
"""


class Copy:
    """A copy of the project in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def files(self) -> dict[str, bytes]:
        """The content of every file, by path."""
        found = (f for f in self.folder.rglob("*") if f.is_file() and f.suffix != ".pyc")
        return {f.relative_to(self.folder).as_posix(): f.read_bytes() for f in found}

    def run(self, *command: str, **options) -> str:
        """What a command prints; it must succeed."""
        done = self.tried(*command, **options)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def tried(self, *command: str, **options) -> subprocess.CompletedProcess:
        """What comes of a command."""
        environ = os.environ | {"PYTHONPATH": str(self.folder)}  # or it would be the installed project that runs
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=300, **options
        )

    def python(self, *arguments: str) -> str:
        """What a Python of the copy prints."""
        return self.run(sys.executable, *arguments)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    """A copy to which all edits were made; they changed these files and no other."""
    copy = Copy(tmp_path_factory.mktemp("walkthroughs"))
    before = copy.files()
    diffs = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(diffs) == len(EDITED)
    for diff in diffs:
        copy.run("git", "apply", "--recount", "-", input=diff)
    after = copy.files()
    assert [path for path in sorted(after) if before.get(path) != after[path]] == EDITED
    return copy


@pytest.fixture(scope="module")
def events(copy) -> list[dict]:
    """Events of the copy's producer."""
    copy.python("ingestion_layer/producer.py", "--seed", "3", "--events", "6000", "--output", "events.jsonl")
    return [json.loads(line) for line in (copy.folder / "events.jsonl").read_text().splitlines()]


def ratings(events: list[dict]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for event in events:
        if event["event_type"] == "COURSE_RATED":
            found.setdefault(event["course_id"], []).append(event["stars"])
    return found


def test_the_producer_makes_the_type(events):
    stars = [s for given in ratings(events).values() for s in given]
    assert len(stars) > 5 and set(stars) <= set(range(6))


def test_documents_describe_both(copy):
    copy.python("-m", "catalogue.documents")
    assert "### COURSE_RATED" in (copy.folder / "docs/event-schema-specification.md").read_text(encoding="utf-8")
    views = (copy.folder / "docs/views.md").read_text(encoding="utf-8")
    assert "### course_ratings" in views and "`avg_stars` | DOUBLE | stars per rating" in views


def test_the_tests_that_the_edits_concern_pass(copy, tmp_path):
    """After `make docs`, as CONTRIBUTING says; within the five minutes that all of it may take."""
    copy.python("-m", "catalogue.documents")
    apart = ("-p", "no:cacheprovider", f"--basetemp={tmp_path / 'tests'}")  # from what this pytest tidies up
    done = copy.tried(sys.executable, "-m", "pytest", "-q", "-x", *apart, *CONCERNED)
    assert done.returncode == 0, done.stdout[-3000:]


def test_students_rate_courses_that_they_take(events):
    """As the script has it; fields filled from the catalogue would name any course."""
    taken: dict[str, set[str]] = {}
    for event in events:
        if event["event_type"] != "COURSE_RATED" and "course_id" in event:
            taken.setdefault(event["user_id"], set()).add(event["course_id"])
    rated = [(e["user_id"], e["course_id"]) for e in events if e["event_type"] == "COURSE_RATED"]
    seen = [course in taken[user] for user, course in rated if user in taken]
    assert len(seen) > 5 and sum(seen) > 0.8 * len(seen)


def test_no_command_starts_with_a_fault(tmp_path):
    """Every fault is told where the declarations are read, whatever the command."""
    spoilt = Copy(tmp_path)
    types, views = spoilt.folder / "catalogue/events/course.py", spoilt.folder / "catalogue/views/course.py"
    kept = types.read_text(encoding="utf-8")
    types.write_text(kept.replace("0.35)", "0.37)").replace('"A course was removed."', '""'), encoding="utf-8")
    for command in (("ingestion_layer/producer.py", "--help"), ("-m", "catalogue.documents")):
        done = spoilt.tried(sys.executable, *command)
        assert done.returncode == 1 and done.stderr.splitlines()[-2:] == [
            "catalogue.declarations.DeclarationError: topic 'course_topic': weights of its event types must be above 0 "
            "and sum to 1; got 1.02",
            "event type 'COURSE_DELETED': meaning must be a sentence; got ''",
        ]
    types.write_text(kept, encoding="utf-8")
    text = views.read_text(encoding="utf-8")
    views.write_text(text.replace(",  -- materials opened", ",").replace('("user_id",)', '("user",)'), encoding="utf-8")
    for command in (
        ("serving_layer/serving_layer.py",),
        ("-c", "import batch_layer.topic_run"),
        ("-c", "import speed_layer.typed_records"),
    ):
        done = spoilt.tried(sys.executable, *command)
        assert done.returncode == 1 and "view 'course_activity_summary': key must be its first columns" in done.stderr
        assert "view 'course_material_access': column 'unique_materials_accessed' must have its meaning" in done.stderr


def test_validation_knows_its_fields(copy):
    judged = """
import datetime as dt, json, pyarrow as pa
from catalogue.sql.dialect import connect
from catalogue.sql.verdicts import inspect
event = {"event_category": "COURSE", "event_type": "COURSE_RATED", "user_id": "SV001",
         "timestamp": "2026-03-01 10:00:00", "course_id": "COURSE001"}
values = [json.dumps(event | more).encode() for more in ({"stars": 4}, {"stars": -1}, {})]
arrived = pa.array([dt.datetime(2026, 3, 2, tzinfo=dt.UTC)] * 3, pa.timestamp("us", "UTC"))
records = pa.table({"partition": pa.array([0] * 3, pa.int32()), "offset": pa.array(range(3), pa.int64()),
                    "kafka_timestamp": arrived, "value": values})
print(json.dumps(inspect(connect(), "course_topic", records)["detail"].to_pylist()))
"""
    wrong = "stars must be integer >= 0"
    assert json.loads(copy.python("-c", judged)) == [None, wrong, wrong]


def test_batch_speed_and_serving_compute_the_view(copy, events, tmp_path):
    answer = json.loads(copy.python("-c", ANSWER, "events.jsonl", str(tmp_path)).splitlines()[-1])
    expected = ratings(events)
    merged = {r["course_id"]: (r["total_ratings"], r["avg_stars"]) for r in answer["rows"]["merged"]}
    assert merged == {course: (len(given), sum(given) / len(given)) for course, given in expected.items()}
    parts = [sum(r["total_ratings"] for r in answer["rows"][layer]) for layer in ("batch", "speed")]
    assert min(parts) > 0 and sum(parts) == sum(map(len, expected.values()))
    assert answer["ledger"]["invalid"] == answer["ledger"]["duplicate"] == 0
