"""Damaged replays, for as many rows as one likes: `python -m tests.ingestion_layer.replay_damage --rows 20000`.

Rows of the samples get odd values, lose parts, are cut, and get bytes that no text has. No replay may fail because of
them, each row is mapped or counted, and what is sent is valid.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ingestion_layer.replay import Options, Replay
from tests.ingestion_layer.replay_cuts import SAMPLES
from tests.oracle.validity import is_valid

ARRIVED = dt.datetime.now(dt.UTC)
CHUNK = 500
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 2**63, 1e308, float("inf"), float("nan"), "", " ", "-", "0", "None", "NaN", "Infinity",
    "1e400", "?", "x" * 200, "\x00", "\ud800", "ế" * 150, "0001-01-01T00:00:00Z", "2026-02-30T10:00:00Z",
    "9999-12-31T23:59:59.9999999-12:00", "31/12/26, 25:00", "99999999999999999999", "P", "PT1S", "-PT5S", "http://[",
    [], {}, [[]], [None], {"id": None}, {"id": 7}, [{"id": "x"}],
    "Course: ", ":", "a\nb", '"', "=1+1", "١٢٣",
]  # fmt: skip
TABLES = {
    "moodle": ("moodle/events.csv", "moodle/results.csv", "moodle_database/mdl_logstore_standard_log.csv",
               "moodle_export/biology/logs_BIO101_20260401-0900.csv", "moodle_export/biology/grades.csv"),
    "oulad": ("oulad/studentRegistration.csv", "oulad/studentAssessment.csv", "oulad/studentVle_first13905.csv",
              "oulad/vle.csv", "oulad/assessments.csv"),
}  # fmt: skip
DOCUMENTS = {
    "xapi": "xapi/statements.jsonl", "caliper": "caliper/events.jsonl", "edx": "edx/tracking.log",
    "moodle": "moodle_database/mdl_logstore_standard_log.csv",
}  # fmt: skip
FORMS = ("moodle", "oulad", "xapi", "caliper", "edx")


def damaged_bytes(rng: Random, line: bytes) -> bytes:
    """A line with something lost, doubled or strange in its bytes."""
    at, end = sorted((rng.randrange(len(line) + 1), rng.randrange(len(line) + 1)))
    match rng.randrange(7):
        case 0:
            return line[:at]
        case 1:
            return line[:at] + line[end:]
        case 2:
            return line[:at] + rng.randbytes(rng.randrange(1, 9)) + line[at:]
        case 3:
            return line[:at] + b"\0" * rng.randrange(1, 50) + line[at:]
        case 4:
            return line[:at] + rng.choice((b'"', b"\n", b"{", b"[", b",", b"}", b"\\", b"\xff")) + line[at:]
        case 5:
            return rng.choice((b"# ", b"INFO:tracking:", b"\xef\xbb\xbf", b"Mar  2 10:00:00 host app: ")) + line
    return line + line[at:]


def damaged_record(rng: Random, fields: list[str]) -> list[str]:
    """A CSV record with a field of another kind, too few or too many."""
    fields, at = list(fields), rng.randrange(len(fields))
    match rng.randrange(6):
        case 0:
            del fields[at]
        case 1:
            fields.insert(at, "x")
        case _:
            odd = rng.choice(ODD)
            fields[at] = odd if isinstance(odd, str) else "" if odd is None else json.dumps(odd)
    return [field.encode("utf-8", "replace").decode() for field in fields]


def damaged_document(rng: Random, value: Any) -> Any:
    """A JSON value with a part of another kind, or without it."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {key: part for key, part in value.items() if key != name}
        return {**value, name: damaged_document(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], damaged_document(rng, value[at]), *value[at + 1 :]]
    return rng.choice(ODD)


def damaged_table(rng: Random, path: Path, number: int) -> bytes:
    """Records of a table, most of them damaged."""
    header, *rows = csv.reader(path.read_text().splitlines())
    out = io.StringIO()
    writer = csv.writer(out, delimiter=rng.choice(",,;"), lineterminator="\n")
    writer.writerow(header)
    lines: list[bytes] = [out.getvalue().encode()]
    for _ in range(number):
        out.seek(0), out.truncate()
        row, way = rng.choice(rows), rng.random()
        writer.writerow(damaged_record(rng, row) if way < 0.6 else row)
        line = out.getvalue().encode("utf-8", "replace")
        lines.append(damaged_bytes(rng, line.rstrip(b"\n")) + b"\n" if way > 0.85 else line)
    return b"".join(lines)


def damaged_lines(rng: Random, path: Path, number: int) -> bytes:
    """Documents, most of them damaged."""
    if path.suffix == ".csv":
        rows: list[Any] = list(csv.DictReader(path.read_text().splitlines()))
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    lines = []
    for _ in range(number):
        way = rng.random()
        row = damaged_document(rng, rng.choice(rows)) if way < 0.7 else rng.choice(rows)
        line = json.dumps(row).encode()
        lines.append(damaged_bytes(rng, line) if way > 0.85 else line)
    return b"\n".join(lines)


def damaged(rng: Random, form: str, folder: Path, number: int) -> int:
    """Files of about `number` damaged rows of a format in `folder`; how many."""
    makers: list[tuple[str, Callable[[], bytes]]] = []
    tables = [name for name in TABLES.get(form, ()) if rng.random() < 0.7]
    documents = [DOCUMENTS[form]] if form in DOCUMENTS and (not tables or rng.random() < 0.3) else []
    share = max(1, number // max(1, len(tables) + len(documents)))
    makers += [
        (name, partial(damaged_table, rng, SAMPLES / name, share)) for name in tables or TABLES.get(form, ())[:1]
    ]
    makers += [("log.json", partial(damaged_lines, rng, SAMPLES / name, share)) for name in documents]
    for name, make in makers:
        path = folder / Path(name).name
        path.write_bytes(make())
    return share * len(makers)


def check(form: str, folder: Path) -> int:
    """Replay a folder: no row is lost, and all that is sent is valid; how many rows were read."""
    source = Replay([folder], form, Options())
    sent = 0
    for topic, key, value in source:
        sent += 1
        assert is_valid(topic, ARRIVED, value), value
        assert key.decode() == json.loads(value)["user_id"]
    source.notes()
    tally = source.tally
    assert tally.read == tally.mapped + tally.reasons.total() and sent == tally.events.total()
    assert not any("://" in reason or len(reason) > 300 for reason in tally.reasons), tally.reasons
    return tally.read


def run(form: str, rows: int, seed: int) -> Iterator[int]:
    """Damage and replay until so many rows of a format were read; the rows of each replay."""
    rng, done = Random(f"{form} {seed}"), 0
    while done < rows:
        with tempfile.TemporaryDirectory() as place:
            damaged(rng, form, Path(place), min(CHUNK, rows - done))
            found = check(form, Path(place))
        done += max(1, found)
        yield found


def main() -> None:
    """Rows of every format; the first that goes wrong ends it with what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for form in FORMS:
        print(f"{form}: {sum(run(form, options.rows, options.seed))} damaged rows, each mapped or counted", flush=True)


if __name__ == "__main__":
    main()
