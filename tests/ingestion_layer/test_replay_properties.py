"""What holds for replays of JSON: how rows are cut into files, ordered, repeated and spelt changes nothing."""

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from ingestion_layer.replay import Replay
from tests.ingestion_layer.replay_cuts import SAMPLES

LOGS = {
    "xapi": SAMPLES / "xapi" / "statements.jsonl",
    "edx": SAMPLES / "edx" / "tracking.log",
    "caliper": SAMPLES / "caliper" / "events.jsonl",
}


def replayed(form: str, *paths: Path) -> Counter:
    """All events that a call sends, as bytes."""
    replay = Replay(list(paths), form)
    sent = Counter(value for _, _, value in replay)
    replay.notes()
    assert replay.tally.read == replay.tally.mapped + replay.tally.reasons.total()
    return sent


def shuffled(lines: list[bytes], folder: Path, rng: random.Random) -> Path:
    """The lines in any order, cut into files of any name, some of them twice, some packed."""
    rng.shuffle(lines)
    cuts = sorted(rng.sample(range(len(lines)), 4))
    pieces = [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    for piece in [*pieces, *rng.sample(pieces, 2)]:
        text = b"\n".join(rng.sample(piece, len(piece)))
        name = folder / f"{rng.random()}" / rng.choice(("a.log", "events.csv", "b.json"))
        name.parent.mkdir(parents=True)
        name.write_bytes(gzip.compress(text) if rng.random() < 0.4 else text)
    return folder


@pytest.mark.parametrize("form", LOGS)
@pytest.mark.parametrize("seed", range(3))
def test_cuts_order_names_and_repetition_change_nothing(form, seed, tmp_path):
    lines = [line for line in LOGS[form].read_bytes().splitlines() if line.startswith(b"{")]
    whole = replayed(form, LOGS[form])
    assert whole and replayed(form, shuffled(lines, tmp_path, random.Random(seed))) == whole


@pytest.mark.parametrize("form", ["xapi", "caliper"])
def test_another_spelling_is_the_same_row(form, tmp_path):
    """Capitals of a UUID, the order of members and blanks between them say nothing."""
    lines = [json.loads(line) for line in LOGS[form].read_bytes().splitlines() if line.startswith(b"{")]
    for document in lines:
        if isinstance(document.get("id"), str):
            prefix, _, uuid = document["id"].rpartition(":")
            document["id"] = f"{prefix}:{uuid.upper()}" if prefix == "urn:uuid" else document["id"]
            document["id"] = document["id"].upper() if not prefix else document["id"]
    spelt = "\n".join(json.dumps(dict(reversed(document.items())), indent=1) for document in lines)
    (tmp_path / "spelt").write_text(spelt)
    assert replayed(form, LOGS[form]) == replayed(form, tmp_path / "spelt")
