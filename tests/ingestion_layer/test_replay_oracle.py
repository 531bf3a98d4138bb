"""Replays of real data say what an oracle that shares no code says of it: user, course, time, item, score, seconds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ingestion_layer.replaying import replay
from tests.oracle import replay_edx, replay_moodle, replay_oulad, replay_xapi

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
DATA = Path(os.environ.get("LEARNING_DATA") or ROOT.parent / "shared" / "data")
UNTOLD = ("event_id", "event_category")


def counted(events: Iterable[dict[str, object]]) -> Counter[tuple]:
    return Counter(tuple(sorted(event.items())) for event in events)


def told(events: Iterable[dict[str, object]], days: bool = False) -> Iterable[dict[str, object]]:
    """The replay's events as the oracle says them; of OULAD the day is all that is known."""
    for event in events:
        said = {name: value for name, value in event.items() if name not in UNTOLD}
        when = datetime.fromisoformat(str(said.pop("timestamp"))).replace(tzinfo=UTC)
        if days:
            assert 7 <= when.hour < 21
        yield said | ({"day": when.date()} if days else {"timestamp": when})


def same(expected: Counter[tuple], got: Counter[tuple]) -> None:
    lacking, surplus = expected - got, got - expected
    assert not lacking and not surplus, f"lacking {lacking.most_common(2)}, surplus {surplus.most_common(2)}"


def at_hand(*paths: Path) -> list[Path]:
    return [path for path in paths if path.exists()]


@pytest.mark.parametrize("folder", at_hand(SAMPLES / "moodle", DATA / "moodle_uef"), ids=lambda path: path.name)
def test_moodle(folder):
    log, results = next(folder.glob("events.csv*")), folder / "results.csv"
    found = replay("moodle", [log], role="student")
    same(counted(replay_moodle.expected(log, results)), counted(told(found.events)))
    unmapped = {f"{component}: {name}": number for (component, name), number in replay_moodle.counted(log).items()}
    assert found.tally.reasons == unmapped


@pytest.mark.parametrize("folder", at_hand(SAMPLES / "oulad", DATA / "oulad"), ids=lambda path: path.parent.name)
def test_oulad(folder, tmp_path):
    folder = thinned(folder, tmp_path) if folder.parent == DATA else folder
    found = replay("oulad", [folder])
    same(counted(replay_oulad.expected(folder)), counted(told(found.events, days=True)))


def thinned(folder: Path, to: Path) -> Path:
    """All clicks, and what else there is of a tenth of the students: it would take a minute to say it all."""
    for path in folder.glob("*.csv*"):
        header, *rows = replay_moodle.lines(path)
        at = header.split(",").index("id_student") if path.name.startswith(("studentA", "studentR")) else None
        kept = [row for row in rows if at is None or row.split(",")[at].endswith("7")]
        (to / path.name.removesuffix(".gz")).write_text("\n".join([header, *kept]))
    return to


@pytest.mark.parametrize(
    "path",
    at_hand(SAMPLES / "xapi" / "statements.jsonl", DATA / "funmooc_xapi" / "statements.jsonl.gz"),
    ids=lambda p: p.parent.name,
)
def test_xapi(path):
    found = replay("xapi", [path], role="student")
    expected, watched = replay_xapi.expected(replay_moodle.lines(path))
    got = Counter()
    for event in told(found.of("VIDEO_WATCHED")):
        got[tuple(event[n] for n in ("user_id", "session_id", "video_id", "timestamp"))] += event[
            "watch_duration_seconds"
        ]
    others = [event for event in found.events if event["event_type"] != "VIDEO_WATCHED"]
    same(counted(expected), counted(told(others)))
    assert got == watched, (list((got - watched).items())[:3], list((watched - got).items())[:3])


ITEMS = ("quiz_id", "assignment_id", "material_id", "resource_id", "item_id", "video_id", "session_id")
NUMBERS = ("correct_answers", "score", "watch_duration_seconds", "position_seconds")


def briefly(events: Iterable[dict[str, object]]) -> Iterable[dict[str, object]]:
    """Events as the oracle of edX and Caliper says them."""
    for event in told(events):
        said = {name: event.get(name) for name in ("event_type", "user_id", "course_id", "timestamp")}
        item = next((event[name] for name in ITEMS if name in event), None)
        number = next((event[name] for name in NUMBERS if name in event), None)
        jump = (event["from_seconds"], event["to_seconds"]) if "from_seconds" in event else None
        more = {"item": item, "number": jump or number, "student_id": event.get("student_id")}
        yield said | {name: value for name, value in more.items() if value is not None}


@pytest.mark.parametrize(
    ("form", "file", "oracle"),
    [("edx", "tracking.log", replay_edx.edx), ("caliper", "events.jsonl", replay_edx.caliper)],
)
def test_edx_and_caliper(form, file, oracle):
    path = SAMPLES / form / file
    found = replay(form, [path])
    same(counted(oracle(path.read_text().splitlines())), counted(briefly(found.events)))
