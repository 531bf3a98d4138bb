"""Erasing one person, and a hundred in one go, from a published platform, against a full batch run of the same."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from itertools import islice
from pathlib import Path

from deployment.persons.places import Places, event_files, unpacked
from runtime.settings import Settings
from tests.benchmarks.history import raw_history
from tests.benchmarks.process import measured

PLACES = (
    "MASTER_DATASET",
    "QUARANTINE",
    "BATCH_VIEWS",
    "SPEED_VIEWS",
    "IDENTITY",
    "DISCLOSURE_LOG",
    "COLLECTOR_SOURCES",
)
MANY = 100
# As `learn erase`, but that no Kafka is asked what it still has.
ERASE = """
import sys
from deployment.persons.erasure import erase
from deployment.persons.places import Places
from runtime.settings import Settings
print(erase(Places.of(Settings.load()), sys.argv[1:], lambda _: {}).run)
"""


def run(events: int) -> None:
    """Print seconds and memory, with the files that named somebody and the objects that were searched."""
    raw = raw_history(events)
    print(
        f"\n## Erasure, {events:,} raw events\n\n| what | s | memory of all processes, GB | files rewritten | objects |"
    )
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = os.environ | {place: str(folder / place.lower()) for place in PLACES} | {"ERASURE_KEY": "bench" * 8}
        copy, views = environ["MASTER_DATASET"], environ["BATCH_VIEWS"]
        shutil.copytree(raw, copy, copy_function=os.link)  # files are replaced, never written into
        seconds, memory = measured(["batch_layer/run_batch_jobs.py", copy, views], environ)
        print(f"| full batch run | {seconds:.1f} | {memory:.2f} | | |", flush=True)
        places = Places.of(Settings.load(environ))
        people = _people(places)
        for what, ids in (("one person", people[:1]), (f"{MANY} more", people[1 : MANY + 1])):
            seconds, memory = measured(["-c", ERASE, *ids], environ)
            newest = places.raw.list("_erasures/certificates/")[-1]
            told = json.loads(places.raw.read(newest.path))
            files = f"{len(told['objects'])} of {len(event_files(places.raw))}"
            print(f"| {what} | {seconds:.1f} | {memory:.2f} | {files} | {told['objects_searched']} |", flush=True)


def _people(places: Places) -> list[str]:
    """People of some file, each once."""
    path = next(path for path in event_files(places.raw) if "video_topic" in path)
    lines = unpacked(path, places.raw.read(path)).splitlines()
    return list(islice(dict.fromkeys(json.loads(line)["value"]["user_id"] for line in lines), MANY + 1))
