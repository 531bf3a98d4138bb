"""However real data is cut, ordered and repeated, in one call or in several, it says the same events and the same
views.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tests.ingestion_layer.replay_cuts import SOURCES, Source
from tests.ingestion_layer.replaying import Event, replay
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.validity import RULES
from tests.oracle.views import all_views

ARRIVED = datetime(2026, 5, 1, tzinfo=UTC)
FIRST = "VIEW_ASSIGNMENT_FIRST_TIME"
TOPICS = {category: topic for topic, (category, _) in RULES.items()}
SHARE = {"moodle": 0.04, "oulad": 0.004, "xapi": 0.12}


def sent(source: Source, paths: list[Path]) -> list[Event]:
    return replay(source.form, paths, course=source.course, role="student").events


def by_id(events: list[Event]) -> dict[str, Event]:
    """The event of each identity; a grade of results has no time of its own but that of the log beside it."""
    found: dict[str, Event] = {}
    for event in events:
        event = {
            name: value
            for name, value in event.items()
            if name != "timestamp" or event["event_type"] != "GRADE_ASSIGNMENT"
        }
        assert found.setdefault(str(event["event_id"]), event) == event
    return found


def but_later_firsts(events: dict[str, Event]) -> dict[str, Event]:
    """Without the first views that another call knows an earlier one of."""
    earliest: dict[tuple, str] = {}
    for event in sorted((e for e in events.values() if e["event_type"] == FIRST), key=lambda e: str(e["timestamp"])):
        earliest.setdefault((event["user_id"], event["course_id"], event["assignment_id"]), str(event["event_id"]))
    kept = set(earliest.values())
    return {key: event for key, event in events.items() if event["event_type"] != FIRST or key in kept}


def views(events: list[Event]) -> dict[str, list[dict]]:
    records = [
        Record(TOPICS[str(e["event_category"])], 0, n, ARRIVED, json.dumps(e).encode()) for n, e in enumerate(events)
    ]
    return all_views(records)


@pytest.fixture(scope="module", params=SOURCES)
def source(request) -> Source:
    return SOURCES[request.param](SHARE[request.param])


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory) -> list[Event]:
    return sent(source, [source.write(tmp_path_factory.mktemp("whole") / "all")])


@pytest.mark.parametrize("seed", range(3))
def test_in_one_call(source, whole, seed, tmp_path):
    rng = Random(f"{source.form} {seed}")
    pieces = source.pieces(tmp_path / "pieces", rng, rng.randint(2, 6))
    files = [path for piece in pieces for path in piece.rglob("*") if path.is_file()]
    given = rng.choice(([tmp_path / "pieces"], pieces, files, files + pieces[:1]))
    rng.shuffle(given)
    assert len(whole) > 500 and by_id(sent(source, given)) == by_id(whole)


@pytest.mark.parametrize("seed", range(2))
def test_in_a_call_a_piece(source, whole, seed, tmp_path):
    rng = Random(f"calls {source.form} {seed}")
    pieces = source.pieces(tmp_path / "pieces", rng, rng.randint(2, 5))
    rng.shuffle(pieces)
    events = [event for piece in [*pieces, pieces[0]] for event in sent(source, [piece])]
    assert but_later_firsts(by_id(events)) == by_id(whole)
    if seed == 0:
        expected, got = views(whole), views(events)
        assert [f"{name}: {fault}" for name in expected for fault in differences(expected[name], got[name])] == []
