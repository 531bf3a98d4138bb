"""Replays: rows a second of one core, and the peak memory of a small and of a ten times larger input.

`python -m tests.benchmarks.replay FORMAT PATH …` replays PATH in a process of its own, and prints the figures as JSON.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ingestion_layer.replay import Replay

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SMALL, LARGE = 100 * 2**20, 1000 * 2**20
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def run(events: int) -> None:
    """Print rows per second of processor time and peak memory of each reader; of edX and xAPI at 100 MB and 1 GB.

    Inputs are the samples over and over, each time of other people on another day; smaller ones for less than a
    million `events`.
    """
    scale = min(1.0, events / 1_000_000)
    print("\n## Replays, one core\n")
    print("| format | input | rows | rows/s | peak memory |\n|---|---|---|---|---|")
    for form, make in MAKERS.items():
        sizes = (SMALL, LARGE) if form in ("edx", "xapi") else (SMALL,)
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                made = make(Path(folder), int(size * scale))
                command = [sys.executable, "-m", "tests.benchmarks.replay", form, folder]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rate = found["rows"] / found["seconds"]
            print(
                f"| {form} | {made / 2**20:.0f} MB | {found['rows']:,} | {rate:,.0f} | {found['memory']:.0f} MB |",
                flush=True,
            )


def _lines(path: Path, size: int, lines: Callable[[int], Iterator[str]]) -> int:
    """Write the lines of round after round until a file has a size; the size."""
    written = turn = 0
    with open(path, "w", encoding="utf-8") as file:
        while written < size:
            for line in lines(turn):
                written += file.write(line + "\n")
            turn += 1
    return written


def _xapi(folder: Path, size: int) -> int:
    samples = [json.loads(line) for line in (SAMPLES / "xapi" / "statements.jsonl").read_text().splitlines()]

    def lines(turn: int) -> Iterator[str]:
        for statement in samples:
            account = statement["actor"]["account"]
            yield json.dumps(
                {
                    **statement,
                    "id": f"{turn:08x}{statement['id'][8:]}",
                    "actor": {"account": {**account, "name": f"{account['name']}{turn % 5000}"}},
                    "timestamp": _later(statement["timestamp"], turn),
                }
            ).replace('session-id": "', f'session-id": "{turn}-')

    return _lines(folder / "statements.jsonl", size, lines)


def _edx(folder: Path, size: int) -> int:
    text = (SAMPLES / "edx" / "tracking.log").read_text().splitlines()
    samples = [json.loads(line) for line in text if line.startswith("{")]
    samples = [line for line in samples if "time" in line and isinstance(line.get("context"), dict)]

    def lines(turn: int) -> Iterator[str]:
        for line in samples:
            user = line["context"].get("user_id")
            context = {**line["context"], "user_id": f"{user}{turn % 5000}" if user else user}
            session = f"{turn}-{line.get('session')}"
            yield json.dumps({**line, "context": context, "session": session, "time": _later(line["time"], turn)})

    return _lines(folder / "tracking.log", size, lines)


def _caliper(folder: Path, size: int) -> int:
    text = (SAMPLES / "caliper" / "events.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in text if line.startswith("{")]
    samples = [event for event in samples if "eventTime" in event and event["id"].startswith("urn:uuid:")]

    def lines(turn: int) -> Iterator[str]:
        for event in samples:
            changed = {"id": f"urn:uuid:{turn:08x}{event['id'][17:]}", "eventTime": _later(event["eventTime"], turn)}
            yield json.dumps({**event, **changed}).replace("sessions/", f"sessions/{turn}-")

    return _lines(folder / "events.jsonl", size, lines)


def _moodle(folder: Path, size: int) -> int:
    with open(SAMPLES / "moodle" / "events.csv", newline="") as file:
        header, *samples = csv.reader(file)
    user, moment = header.index("user"), header.index("timecreated")

    def lines(turn: int) -> Iterator[str]:
        if turn == 0:
            yield ",".join(header)
        for row in samples:
            changed = {user: f"{row[user]}-{turn % 5000}", moment: _later(row[moment], turn)}
            yield ",".join(changed.get(at, text) for at, text in enumerate(row))

    return _lines(folder / "events.csv", size // 4, lines)


def _oulad(folder: Path, size: int) -> int:
    for path in (SAMPLES / "oulad").glob("*.csv"):
        shutil.copy(path, folder)
    path = folder / "studentVle_first13905.csv"
    header, *samples = path.read_text().splitlines()
    rows = [line.split(",") for line in samples]

    def lines(turn: int) -> Iterator[str]:
        if turn == 0:
            yield header
        for module, presentation, student, *rest in rows:
            yield ",".join([module, presentation, f"{student}{turn}", *rest])

    return _lines(path, size // 8, lines)


MAKERS = {"edx": _edx, "xapi": _xapi, "caliper": _caliper, "moodle": _moodle, "oulad": _oulad}


def _later(time_: str, turn: int) -> str:
    """The time of the day of a sample, on another day and minute of a round."""
    moment = dt.datetime.fromisoformat(time_)
    day = START + dt.timedelta(days=turn // 700 % 90, seconds=turn % 700)
    return moment.replace(year=day.year, month=day.month, day=day.day, minute=day.minute).isoformat()


def main() -> None:
    """Replay a folder and print its figures."""
    form, path = sys.argv[1:]
    started = time.process_time()
    replay = Replay([Path(path)], form)
    for _ in replay:
        pass
    replay.notes()
    peak = int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
    print(json.dumps({"rows": replay.tally.read, "seconds": time.process_time() - started, "memory": peak}))


if __name__ == "__main__":
    main()
