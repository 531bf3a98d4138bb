"""Generated events: seeded, valid, in the catalogue's shares, in an order that could have happened."""

import datetime as dt
import json
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from catalogue.events import EVENT_TYPES, TOPICS
from tests.oracle.validity import is_valid

PRODUCER = Path(__file__).resolve().parents[2] / "ingestion_layer" / "producer.py"
ARRIVED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
TOPIC_OF = {topic.category: topic.name for topic in TOPICS.values()}


def produce(*options: object, timeout: float = 120, **environ: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(PRODUCER), *map(str, options)]
    return subprocess.run(command, capture_output=True, timeout=timeout, env=environ or None)


@pytest.fixture(scope="module")
def events() -> list[dict]:
    done = produce("--events", 60_000, "--seed", 11, "--students", 2000, "--output", "-")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    options = ("--events", 3000, "--seed", 5, "--late", 0.1, "--duplicates", 0.1, "--invalid", 0.1)
    outputs = [produce(*options, "--output", "-").stdout for _ in range(2)]
    assert outputs[0] == outputs[1] and len(outputs[0].splitlines()) > 3000
    assert produce(*options[:2], "--seed", 6, "--output", "-").stdout != outputs[0]


def test_shares_types_and_validity(events):
    assert len(events) == 60_000
    categories = Counter(e["event_category"] for e in events)
    for topic in TOPICS.values():
        assert abs(categories[topic.category] / len(events) - topic.share) < 0.01, topic.name
    assert {e["event_type"] for e in events} == set(EVENT_TYPES)
    for event in events[::7]:
        assert is_valid(TOPIC_OF[event["event_category"]], ARRIVED, json.dumps(event).encode()), event
    assert len({e["event_id"] for e in events}) == len(events)


def test_what_happens_could_have_happened(events):
    opened: dict[str, str] = {}
    seen: dict[str, set] = defaultdict(set)
    last = ""
    for event in events:
        user, name = event["user_id"], event["event_type"]
        assert event["timestamp"] >= last, "in the order of time"
        last = event["timestamp"]
        if name == "LOGIN":
            opened[event["session_id"]] = user
        elif name == "LOGOUT":
            assert opened.pop(event["session_id"]) == user, "who logs out had logged in"
        elif name == "VIEW_ASSIGNMENT_FIRST_TIME":
            assert (user, event["assignment_id"]) not in seen["viewed"], "the first time is once"
            seen["viewed"].add((user, event["assignment_id"]))
        elif name == "SUBMIT_ASSIGNMENT":
            assert (user, event["assignment_id"]) in seen["viewed"], "viewed, then handed in"
            seen["submitted"].add((user, event["assignment_id"]))
        elif name == "GRADE_ASSIGNMENT":
            assert (event["student_id"], event["assignment_id"]) in seen["submitted"], "handed in, then graded"
        elif name == "NOTIFICATION_SENT":
            seen["sent"].add((user, event["notification_id"]))
        elif name.startswith("NOTIFICATION_"):
            assert (user, event["notification_id"]) in seen["sent"], "sent, then reacted to"


def test_trouble_is_made_as_asked_and_counted():
    done = produce(
        "--events", 5000, "--seed", 2, "--duplicates", 0.1, "--invalid", 0.05, "--late", 0.1, "--output", "-"
    )
    lines = done.stdout.splitlines()
    said = dict(line.split(": ") for line in done.stderr.decode().splitlines() if ": " in line and line[0] != " ")
    valid = [line for line in lines if _valid(line)]
    ids = [json.loads(line)["event_id"] for line in valid]
    assert len(valid) - len(set(ids)) == int(said["duplicates"]) and 400 < int(said["duplicates"]) < 600
    assert len(lines) - len(valid) == int(said["invalid"]) and 180 < int(said["invalid"]) < 320
    assert 350 < int(said["late"]) < 650
    assert len(set(ids)) == 5000


def _valid(line: bytes) -> bool:
    try:
        topic = TOPIC_OF.get(json.loads(line)["event_category"], "auth_topic")
    except (ValueError, TypeError, KeyError):
        return False
    return is_valid(topic, ARRIVED, line)


def test_a_range_of_days():
    done = produce("--events", 500, "--start", "2026-02-01", "--end", "2026-02-03", "--seed", 1, "--output", "-")
    days = {json.loads(line)["timestamp"][:10] for line in done.stdout.splitlines()}
    assert days <= {"2026-02-01", "2026-02-02"} and days


def test_live_at_a_rate_until_interrupted(tmp_path):
    command = [sys.executable, str(PRODUCER), "--rate", "40", "--output", str(tmp_path / "live")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "live").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0
    sent = len((tmp_path / "live").read_bytes().splitlines())
    assert f"sent {sent} events" in said and 40 < sent < 400
    moment = dt.datetime.fromisoformat(json.loads((tmp_path / "live").read_bytes().splitlines()[-1])["timestamp"])
    assert abs(moment.replace(tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--late", 3), 2, "share from 0 to 1"),
        (("--events", 0), 2, "at least 1"),
        (("--events", "many"), 2, "must be a whole number; got many"),
        (("--rate", "fast"), 2, "must be a number; got fast"),
        (("--replay", "missing", "--format", "moodle"), 1, "file must exist"),
        (("--replay", "missing"), 2, "--replay needs --format"),
        (("--start", "2026-03-02", "--end", "2026-03-01"), 2, "--end must be after --start"),
        (("--events", 1, "--output", "/nonexistent/x"), 1, "must be a file that can be written"),
    ],
)
def test_bad_options(options, status, said):
    done = produce(*options)
    assert done.returncode == status
    assert said in done.stderr.decode().splitlines()[-1]


def test_kafka_out_of_reach():
    done = produce("--events", 1, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", timeout=60)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("producer: Kafka at 127.0.0.1:1: must take the events")
