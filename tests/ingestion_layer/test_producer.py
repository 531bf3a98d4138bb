"""Generated events: seeded, valid, in the catalogue's shares, in an order that could have happened."""

import datetime as dt
import json
import os
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
    return subprocess.run(command, capture_output=True, timeout=timeout, env={**os.environ, **environ})


def told(done: subprocess.CompletedProcess) -> dict[str, str]:
    """The summary's lines."""
    return dict(line.strip().split(": ", 1) for line in done.stderr.decode().splitlines() if ": " in line)


@pytest.fixture(scope="module")
def events() -> list[dict]:
    done = produce("--events", 60_000, "--seed", 11, "--students", 2000, "--output", "-")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    options = ("--events", 3000, "--seed", 5, "--late", 0.1, "--duplicates", 0.1, "--invalid", 0.1)
    outputs = [produce(*options, "--output", "-", PYTHONHASHSEED=salt).stdout for salt in ("1", "2")]
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


def test_every_newcomers_life_has_its_order(events):
    """Signed up, then a profile, then enrolled, then logged in, and only then at work in courses enrolled in."""
    lives: dict[str, list[dict]] = defaultdict(list)
    for event in events:
        lives[event["user_id"]].append(event)
    newcomers = [life for life in lives.values() if any(e["event_type"] == "SIGNUP" for e in life)]
    assert len(newcomers) > 50
    worked = 0
    for life in newcomers:
        names = [
            e["event_type"]
            for e in life
            if e["event_type"] != "LOGIN_FAILED" and "NOTIFICATION_" not in e["event_type"]
        ]
        order = ["SIGNUP", "CREATE_PROFILE", "COURSE_ENROLLED", "LOGIN"]
        assert names[: len(order)] == order[: len(names)]
        assert names.count("SIGNUP") == 1 and names.count("CREATE_PROFILE") <= 1
        email = {e["email"] for e in life if "email" in e}
        assert len(email) == 1, "one person, one address"
        enrolled: set[str] = set()
        for event in life:
            if event["event_type"] == "COURSE_ENROLLED":
                enrolled.add(event["course_id"])
            elif "course_id" in event:
                assert event["course_id"] in enrolled
                worked += 1
    assert worked > 50


def test_people_act_within_their_sessions(events):
    """Students and teachers do things between a login and its end; what names a session belongs to it."""
    outside = {"SIGNUP", "CREATE_PROFILE", "LOGIN_FAILED", "NOTIFICATION_SENT", "COURSE_DELETED"}
    present: dict[str, str] = {}
    enrolling: set[str] = set()
    for event in events:
        user, name = event["user_id"], event["event_type"]
        if name == "LOGIN":
            assert user not in present, "one session at a time"
            present[user] = event["session_id"]
        elif name == "CREATE_PROFILE":
            enrolling.add(user)
        elif name == "COURSE_ENROLLED" and user in enrolling:
            enrolling.discard(user)
        elif name not in outside:
            assert user in present, event
            assert event.get("session_id", present[user]) == present[user]
            if name in ("LOGOUT", "SESSION_EXPIRED"):
                del present[user]
        if name in ("GRADE_ASSIGNMENT", "VIEW_STUDENT_WORK", "ASSIGNMENT_CREATED", "COURSE_CREATED"):
            assert event["role"] == "teacher"
        elif name in ("SUBMIT_ASSIGNMENT", "QUIZ_COMPLETED", "VIDEO_WATCHED", "COURSE_ENROLLED"):
            assert event["role"] == "student"


def test_values_are_possible(events):
    lengths: dict[str, int] = {}
    for event in events:
        if event["event_type"] == "VIDEO_WATCHED":
            length = event["video_duration_seconds"]
            assert event["watch_duration_seconds"] <= length == lengths.setdefault(event["video_id"], length)
        if event["event_type"] == "QUIZ_COMPLETED":
            assert event["correct_answers"] <= event["total_questions"]
        if event["event_type"] == "ASSIGNMENT_CREATED":
            assert event["due_date"] > event["timestamp"]
        assert event.get("role") in ("student", "teacher", "admin")


def test_trouble_is_what_the_oracle_finds_of_it():
    done = produce(
        "--events", 5000, "--seed", 2, "--duplicates", 0.1, "--invalid", 0.05, "--late", 0.1, "--output", "-",
        "--start", "2026-03-02", "--end", "2026-03-03",
    )  # fmt: skip
    lines, said = done.stdout.splitlines(), told(done)
    valid = [json.loads(line) for line in lines if _valid(line)]
    firsts = {event["event_id"]: event for event in reversed(valid)}
    assert len(firsts) == 5000
    assert len(valid) - 5000 == int(said["duplicates"]) and 400 < int(said["duplicates"]) < 600
    assert len(lines) - len(valid) == int(said["invalid"]) and 180 < int(said["invalid"]) < 320
    late, newest, seen = 0, "", set()
    for event in valid:
        if event["event_id"] not in seen:
            seen.add(event["event_id"])
            late += event["timestamp"] < newest
            newest = max(newest, event["timestamp"])
    assert late == int(said["late"]) and 350 < late < 650
    assert sum(int(number) for topic, number in said.items() if topic.endswith("_topic")) == len(lines)
    assert f"sent {len(lines)} events" in done.stderr.decode()


@pytest.mark.parametrize("options", [("--events", 1000), ("--events", 20_000), ("--events", 9000, "--rate", 3000)])
def test_as_many_are_late_as_can_be(options):
    done = produce(*options, "--seed", 7, "--late", 1, "--output", "-")
    late, newest = Counter(), ""
    for event in map(json.loads, done.stdout.splitlines()):
        late[event["timestamp"] < newest] += 1
        assert event["timestamp"] >= newest or event["role"] == "student", "nobody else works offline"
        newest = max(newest, event["timestamp"])
    assert late[True] == int(told(done)["late"]) > 0.7 * options[1]


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


@pytest.mark.parametrize(("students", "courses"), [(1, 1), (3, 1), (2, 30)])
def test_the_smallest_universities_live(students, courses):
    done = produce("--events", 800, "--seed", 3, "--students", students, "--courses", courses, "--output", "-")
    assert done.returncode == 0, done.stderr[-300:]
    lines = done.stdout.splitlines()
    assert len(lines) == 800 and all(map(_valid, lines))


def test_a_duration_ends_it_and_a_rate_paces_it(tmp_path):
    started = time.monotonic()
    done = produce("--duration", 2, "--rate", 100, "--output", tmp_path / "out")
    assert done.returncode == 0 and 2 <= time.monotonic() - started < 60
    assert 20 < len((tmp_path / "out").read_bytes().splitlines()) <= 200


def test_a_reader_that_has_seen_enough_is_no_error():
    done = subprocess.run(
        f"{sys.executable} {PRODUCER} --events 50000 --seed 1 --output - | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("rate", [(), ("--rate", "40")])
def test_live_at_a_rate_until_interrupted(rate, tmp_path):
    command = [sys.executable, str(PRODUCER), *rate, "--output", str(tmp_path / "live")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "live").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(3)
    assert (tmp_path / "live").read_bytes().endswith(b"}\n"), "what is sent is there at once"
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
        (("--late", 3), 2, "argument --late: must be a share from 0 to 1; got '3'"),
        (("--duplicates", "nan"), 2, "share from 0 to 1"),
        (("--invalid", "some"), 2, "share from 0 to 1; got 'some'"),
        (("--events", 0), 2, "at least 1"),
        (("--events", "many"), 2, "argument --events: must be a whole number of at least 1; got 'many'"),
        (("--students", 0), 2, "at least 1"),
        (("--courses", -1), 2, "at least 1"),
        (("--seed", "x"), 2, "must be a whole number"),
        (("--rate", 0), 2, "must be a number above 0"),
        (("--duration", "inf"), 2, "must be a number above 0"),
        (("--start", "yesterday"), 2, "must be a date as 2026-03-01"),
        (("--start", "2999-01-01"), 2, "from 2000 to now"),
        (("--end", "1999-01-01"), 2, "from 2000 to now"),
        (("--wrong",), 2, "unrecognized arguments: --wrong"),
        (("--format", "nonsense", "--replay", "x"), 2, "choose from"),
        (("--format", "moodle"), 2, "--format needs --replay FILE"),
        (("--replay", "missing", "--format", "moodle"), 1, "file must exist"),
        (("--replay", "missing"), 2, "--replay needs --format"),
        (("--replay", "", "--format", "moodle"), 2, "argument --replay: must be the name of a file; got ''"),
        (("--output", ""), 2, "argument --output: must be the name of a file; got ''"),
        (("--start", "2026-03-02", "--end", "2026-03-01"), 2, "--end must be after --start"),
        (("--events", 1, "--output", "/nonexistent/x"), 1, "must be a file that can be written"),
    ],
)
def test_bad_options(options, status, said):
    done = produce(*options)
    assert done.returncode == status
    error = done.stderr.decode()
    assert said in error and error.startswith("producer: ") and error.count("\n") == 1


def test_kafka_out_of_reach():
    done = produce("--events", 1, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", timeout=60)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("producer: Kafka at 127.0.0.1:1: must take the events")
