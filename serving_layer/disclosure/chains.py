"""The log of disclosures at rest: files in chains, each naming the hash of the one before.

A process that serves writes a chain of its own: `<chain>/000000000.jsonl.gz`, `…001…`. A file's first line is its head,
the others are records. People and purposes stand in it as random tokens; `<chain>.persons/` says what they stand for,
outside the chain, so that somebody can be forgotten without a broken hash.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runtime.storage.store import Store
from runtime.words import without

PERSONS = ".persons"
# How the tokens of purposes begin, which stand with the people's.
PURPOSE = "words-"
# What retention removed: by chain, the number and the hash of the last file that it took.
DROPPED = "dropped.json"
# A new chain names the newest file of so many others: whoever cuts their ends off is found out.
WITNESSED = 20
Line = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """Where a chain doesn't hold, and why."""

    place: str
    reason: str


def path_of(chain: str, number: int) -> str:
    """The path of a chain's file."""
    return f"{chain}/{number:09}.jsonl.gz"


def encoded(lines: Iterable[Line]) -> bytes:
    """A file of these lines: the same bytes for the same lines."""
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode(), 3, mtime=0)


def decoded(data: bytes) -> list[Line]:
    """The lines of a file; ValueError where it is none."""
    try:
        return [json.loads(line) for line in gzip.decompress(data).splitlines()]
    except (OSError, EOFError) as error:
        raise ValueError(str(error)) from error


def digest(data: bytes) -> str:
    """The hash by which the next file names this one."""
    return hashlib.sha256(data).hexdigest()


def chains(store: Store) -> dict[str, list[int]]:
    """The numbers of each chain's files, in order."""
    found: dict[str, list[int]] = {}
    for entry in store.list():
        chain, _, name = entry.path.partition("/")
        number = name.removesuffix(".jsonl.gz")
        if not chain.endswith(PERSONS) and number.isdigit() and name.endswith(".jsonl.gz"):
            found.setdefault(chain, []).append(int(number))
    return {chain: sorted(numbers) for chain, numbers in sorted(found.items())}


def dropped(store: Store) -> dict[str, Line]:
    """What retention removed, by chain."""
    try:
        found: dict[str, Line] = json.loads(store.read(DROPPED))
        return found
    except FileNotFoundError:
        return {}


def ends(store: Store) -> dict[str, Line]:
    """Number and hash of the newest file of the newest chains."""
    newest = list(chains(store).items())[-WITNESSED:]
    return {c: {"number": n[-1], "sha256": digest(store.read(path_of(c, n[-1])))} for c, n in newest}


def verify(store: Store) -> tuple[list[Fault], dict[str, Line], int]:
    """What is wrong with the log, the end of each chain, and how many records it has."""
    faults, hashes, witnessed, records = [], {}, [], 0
    removed, known = dropped(store), chains(store)
    last: dict[str, Line] = {}
    for chain, numbers in known.items():
        start = removed.get(chain, {"number": -1, "sha256": None})
        expected, previous = start["number"] + 1, start["sha256"]
        for number in numbers:
            if number < expected:
                continue  # retention was stopped before it had removed it
            place, data = path_of(chain, number), store.read(path_of(chain, number))
            if number != expected:
                faults.append(Fault(place, f"file {expected} must be before it; it is missing"))
            try:
                head, *lines = decoded(data)
                told = (head["chain"], head["number"], head["previous"])
            except (ValueError, KeyError, TypeError) as error:
                faults.append(Fault(place, f"must be a file of the log; {error}"))
                head, lines, told = {}, [], (chain, number, previous)
            if told[:2] != (chain, number):
                faults.append(Fault(place, f"must be what its head says; it says {told[0]}, {told[1]}"))
            if number == expected and told[2] != previous:
                faults.append(Fault(place, "the file before it must be the one that it names; it was changed"))
            witnessed += [(place, c, e["number"], e["sha256"]) for c, e in head.get("others", {}).items()]
            hashes[chain, number] = previous = digest(data)
            expected, records = number + 1, records + len(lines)
            last[chain] = {"number": number, "sha256": previous}
    for place, chain, number, wanted in witnessed:
        if number > removed.get(chain, {"number": -1})["number"] and hashes.get((chain, number)) != wanted:
            faults.append(Fault(path_of(chain, number), f"must be as {place} saw it; it is missing or was changed"))
    return faults, last, records


def _tokens(store: Store) -> Iterator[tuple[str, str, list[Line]]]:
    """Each file that says whose a token is: its chain, its path, its lines."""
    for entry in store.list():
        chain, _, name = entry.path.partition("/")
        if chain.endswith(PERSONS) and name.endswith(".jsonl.gz"):
            yield chain.removesuffix(PERSONS), entry.path, decoded(store.read(entry.path))


def shown_of(store: Store, person: str) -> list[Line]:
    """The records of answers that had rows of `person`, the oldest first; who asked stands by name, if it is known."""
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    own: dict[str, set[str]] = {}
    for chain, _, lines in _tokens(store):
        names |= {line["token"]: line["person"] for line in lines if "person" in line}
        words |= {line["token"]: line["purpose"] for line in lines if "purpose" in line}
        own.setdefault(chain, set()).update(line["token"] for line in lines if line.get("person") == person)
    found, removed = [], dropped(store)
    for chain, numbers in chains(store).items():
        if not own.get(chain):
            continue
        for number in numbers:
            if number <= removed.get(chain, {"number": -1})["number"]:
                continue
            for line in decoded(store.read(path_of(chain, number)))[1:]:
                if own[chain] & set(line["persons"]):
                    told = {name: value for name, value in line.items() if name != "persons"}
                    told["who"] = names.get(line["who"], line["who"] and "somebody who was erased")
                    found.append(told | {"purpose": words.get(line["purpose"], line["purpose"])})
    return sorted(found, key=lambda line: line["time"])


def forget(store: Store, persons: set[str]) -> int:
    """Let nobody tell any more which tokens are these people's; how many there were. The chains stay as they are.

    In purposes their ids are left out; those of records of before purposes were tokens stay.
    """
    gone = 0
    for _, path, lines in _tokens(store):
        kept = [
            {**line, "purpose": without(line["purpose"], persons)} if "purpose" in line else line
            for line in lines
            if line.get("person") not in persons
        ]
        if kept != lines:
            gone += len(lines) - len(kept)
            store.write(path, encoded(kept))
    return gone


def drop_before(store: Store, moment: str, dry_run: bool = False) -> list[str]:
    """Remove the files whose records are all from before `moment`, an ISO time; their paths. Chains stay verifiable."""
    marks, known, old = dropped(store), chains(store), []
    for chain, numbers in known.items():
        for number in numbers:
            data = store.read(path_of(chain, number))
            lines = decoded(data)
            if max(line["time"] for line in lines) >= moment:
                break
            old.append(path_of(chain, number))
            marks[chain] = {"number": number, "sha256": digest(data)}
    if old and not dry_run:
        store.write(DROPPED, json.dumps(marks, indent=1).encode())
        left = {path.partition("/")[0] for path in old}
        whole = {c for c in left if marks[c]["number"] == known[c][-1]}
        old += [path for chain, path, _ in _tokens(store) if chain in whole]
        store.delete(old)
    return old
