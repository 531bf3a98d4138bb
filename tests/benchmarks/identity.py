"""What it costs lookups that somebody is known, sees what is theirs, and that it is noted: beside nobody known."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
import timeit

from starlette.requests import Request

from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.disclosure.recorder import Recorder
from serving_layer.identity.api_keys import create_key
from serving_layer.identity.roster import write_roster
from serving_layer.identity.viewer import Viewer
from tests.benchmarks.history import STUDENTS, raw_history
from tests.benchmarks.process import measured
from tests.benchmarks.serving import at_rate, flood, ms, served, until_ready

VIEW = "video_student_engagement"
RATE, SECONDS, ROUNDS = 100, 5, 5
NOTES = 20_000


def run(events: int) -> None:
    """Print p99 and throughput with and without, in rounds that take turns, and the median ratios."""
    raw = raw_history(events)
    users = [f"SV{n:03}" for n in random.Random(1).sample(range(1, STUDENTS + 1), min(STUDENTS, 2000))]
    paths = [f"/views/{VIEW}?user_id={user}" for user in users]
    with tempfile.TemporaryDirectory() as folder:
        views = f"{folder}/batch_views"
        measured(["batch_layer/run_batch_jobs.py", str(raw), views])
        own = {**os.environ, "BATCH_VIEWS": views, "SPEED_VIEWS": f"{folder}/speed", "IDENTITY": f"{folder}/identity"}
        own |= {"RATE_LIMIT": "100000", "DISCLOSURE_LOG": f"{folder}/log"}
        store = open_store(own["IDENTITY"])
        write_roster(store, {}, {"AD001": frozenset(users)})
        keys = {
            "admin": create_key(store, "admin", 1)[1],
            "adviser of everybody": create_key(store, "adviser", 1, "AD001")[1],
        }
        open_process, open_address = served(["serving_layer/serving_layer.py"], own)
        process, address = served(["serving_layer/serving_layer.py"], {**own, "AUTHENTICATION": "required"})
        try:
            until_ready(open_address)
            until_ready(address)
            time.sleep(6)  # keys and roster are read within 5 s
            print(f"\n## Identity, {events:,} events of history\n\n| | |\n|---|---|", flush=True)
            for who, key in keys.items():
                _report(who, f"Authorization: Bearer {key}\r\n", address, open_address, paths)
        finally:
            for running in (open_process, process):
                running.terminate()
            for running in (open_process, process):
                running.wait(60)
        print(f"| a note of the log, us | {_note(folder):.1f} |", flush=True)


def _report(who: str, headers: str, address: str, open_address: str, paths: list[str]) -> None:
    late, fast = [], []
    told: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        without = asyncio.run(at_rate(open_address, paths, RATE, SECONDS))
        known = asyncio.run(at_rate(address, paths, RATE, SECONDS, headers))
        told["with"] += known
        told["without"] += without
        late.append(_p99(known) / _p99(without))
        base = asyncio.run(flood(open_address, paths, 3))
        fast.append(asyncio.run(flood(address, paths, 3, headers)) / base)
    middle = ROUNDS // 2
    slow = {name: ms(latencies, 0.99) for name, latencies in told.items()}
    print(
        f"| {who}: p99 with, without, ms; ratio of p99 (bar 1.3), of throughput | {slow['with']}, {slow['without']}; "
        f"{sorted(late)[middle]:.2f}, {sorted(fast)[middle]:.2f} |",
        flush=True,
    )


def _p99(latencies: list[float]) -> float:
    ordered = sorted(latencies)
    return ordered[int(len(ordered) * 0.99)]


def _note(folder: str) -> float:
    """Microseconds that a lookup's record takes of the lookup, its writing left out."""
    recorder = Recorder(Settings.load({"AUTHENTICATION": "required", "DISCLOSURE_LOG": f"{folder}/notes"}))
    viewer, asked = Viewer("adviser", "AD001"), Request({"type": "http", "headers": []})
    covers = {"run": "r", "head": {str(n): n for n in range(5)}}
    note = lambda: recorder.note(viewer, VIEW, ("SV001",), covers, asked)  # noqa: E731
    return timeit.timeit(note, number=NOTES) / NOTES * 1e6
