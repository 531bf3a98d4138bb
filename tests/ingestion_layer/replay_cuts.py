"""Real data cut into files in any way: rows in any order, some of them in several files, files under any name and
packed.

Equal rows stay together, for nothing tells two clicks of a second in two files from one that both files have.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.oracle.replay_moodle import lines

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
DATA = Path(os.environ.get("LEARNING_DATA") or ROOT.parent / "shared" / "data")


@dataclass
class Source:
    """Tables of a format: by name a header (none for JSON lines) and rows; `whole` files go into every piece."""

    form: str
    tables: dict[str, tuple[str | None, list[str]]]
    whole: dict[str, str] = field(default_factory=dict)
    course: str | None = None
    # What has to stay together where pieces are sent in separate calls.
    together: Callable[[str], str] = lambda row: row

    def write(self, folder: Path) -> Path:
        """All of it, a file a table."""
        return _write(folder, self.tables, self.whole, Random(0), plain=True)

    def pieces(self, folder: Path, rng: Random, number: int) -> list[Path]:
        """Folders that hold it all, each a part, some rows twice."""
        parts: list[dict[str, tuple[str | None, list[str]]]] = [{} for _ in range(number)]
        contiguous = rng.random() < 0.5
        for name, (header, rows) in self.tables.items():
            groups: dict[str, list[str]] = {}
            for row in rows:
                groups.setdefault(self.together(row), []).append(row)
            keys = list(groups)
            if not contiguous:
                rng.shuffle(keys)
            for n, part in enumerate(parts):
                chosen = keys[n * len(keys) // number : (n + 1) * len(keys) // number]
                chosen += rng.sample(keys, len(keys) // 10)
                taken = [row for key in dict.fromkeys(chosen) for row in groups[key]]
                if rng.random() < 0.5:
                    rng.shuffle(taken)
                part[name] = header, taken
        return [_write(folder / str(n), part, self.whole, rng) for n, part in enumerate(parts)]


def _write(folder: Path, tables: dict, whole: dict[str, str], rng: Random, plain: bool = False) -> Path:
    folder.mkdir(parents=True)
    for name, (header, rows) in tables.items():
        data = "".join(f"{line}\n" for line in ([header] if header else []) + rows).encode()
        path = folder / (name if plain else f"{rng.randrange(10**6)}-{name}")
        path.write_bytes(gzip.compress(data, 1) if not plain and rng.random() < 0.3 else data)
    for name, text in whole.items():
        (folder / name).write_text(text)
    return folder


def _chosen(text: str, share: float) -> bool:
    return zlib.crc32(text.encode()) % 1000 < share * 1000


def moodle(share: float) -> Source:
    """A share of the users of a real log, with the grades of all."""
    folder = DATA / "moodle_uef" if (DATA / "moodle_uef").exists() else SAMPLES / "moodle"
    header, *rows = lines(next(folder.glob("events.csv*")))
    at = header.split(",").index("user")
    rows = [row for row in rows if _chosen(next(csv.reader([row]))[at], share)]
    whole = {"results.csv": (folder / "results.csv").read_text()}
    return Source("moodle", {"events.csv": (header, rows)}, whole, "3621691 : Learning Analytics")


def oulad(share: float) -> Source:
    """A share of the students of the dataset."""
    folder = DATA / "oulad" if (DATA / "oulad").exists() else SAMPLES / "oulad"
    tables: dict[str, tuple[str | None, list[str]]] = {}
    whole: dict[str, str] = {}
    for path in sorted(folder.glob("*.csv*")):
        name = path.name.removesuffix(".gz")
        header, *rows = lines(path)
        if name.startswith(("assessments", "vle")):
            whole[name] = "\n".join([header, *rows])
        elif name.startswith(("studentA", "studentR", "studentV")):
            at = header.split(",").index("id_student")
            tables[name] = header, [row for row in rows if _chosen(row.split(",")[at], share)]
    return Source("oulad", tables, whole)


def xapi(share: float) -> Source:
    """A share of the people of real statements; what one has watched needs all statements of the person in a call."""
    path = DATA / "funmooc_xapi" / "statements.jsonl.gz"
    rows = lines(path if path.exists() else SAMPLES / "xapi" / "statements.jsonl")

    def person(row: str) -> str:
        return json.dumps(json.loads(row).get("actor"), sort_keys=True)

    return Source(
        "xapi", {"statements.jsonl": (None, [row for row in rows if _chosen(person(row), share)])}, together=person
    )


SOURCES: dict[str, Callable[[float], Source]] = {"moodle": moodle, "oulad": oulad, "xapi": xapi}
