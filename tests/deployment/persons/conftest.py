"""A platform in which people have lived, made once and copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving_layer.advising.advice import Advices, advice
from serving_layer.advising.thresholds import choose
from serving_layer.identity import api_keys
from serving_layer.identity.roster import write_roster
from tests.deployment.persons.keeping import Kept
from tests.oracle.histories import history


@pytest.fixture(scope="session")
def lived(tmp_path_factory) -> Kept:
    """Several runs, deltas beyond the last one's cut, a roster, a key, advisers' events and thresholds."""
    platform = Kept(tmp_path_factory.mktemp("lived") / "platform", history(4, 260), 4)
    platform.ingest(0.4)
    platform.run()
    platform.micro_batch(1.0)
    platform.ingest(0.5)
    platform.run()
    people = platform.places.identity
    write_roster(people, {"GV001": frozenset({"COURSE001"})}, {"GV001": frozenset({"SV001", "SV002"})})
    api_keys.create_key(people, "student", 30, person="SV001")
    Advices(people).add(advice("SV001", "GV001", "contacted", "Wrote a mail.", "about-them"))
    Advices(people).add(advice("SV002", "GV001", "note", "Learns with SV001.", "about-another"))
    for person in ("SV001", "GV001"):
        choose(people, person, {"quiet": 3})
    return platform


@pytest.fixture
def platform(lived: Kept, tmp_path: Path) -> Kept:
    """A copy of it."""
    return lived.copied(tmp_path / "platform")
