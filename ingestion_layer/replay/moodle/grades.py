"""Tables of grades: `results.csv` with columns `Grade.*` from 0 to 10, and what Moodle's gradebook exports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import points
from ingestion_layer.replay.row import Unmapped

TEACHER = "GV001"
USERS = ("user", "userid", "username")
LAST_RESORTS = ("idnumber", "emailaddress")
EXPORTED_AT = "lastdownloadedfromthiscourse"
TEN = "Grade."
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_GRADE = re.compile(r"(?P<kind>[^:]+): (?P<item>.*?)(?: \((?P<form>[^()]+)\))?")
_NUMBER = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*(%?)")
_NO_GRADES = ("feedback", "course total", "category total")


class Grade(NamedTuple):
    """A grade: `quiz` tells what kind of work it is of; points of a hundred."""

    quiz: bool
    item: str
    score: float


class Column(NamedTuple):
    """A column of grades: `most` points are all, and of several columns of an item the first by `rank` counts."""

    name: str
    quiz: bool
    item: str
    most: int
    rank: int


@lru_cache(maxsize=64)
def grade_columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that hold grades; none where the table is another."""
    found = [Column(name, False, name.removeprefix(TEN), 10, 0) for name in names if name.startswith(TEN)]
    if found:
        return tuple(found)
    if not {"firstname", *USERS, *LAST_RESORTS} & set(map(_plain, names)):
        return ()
    for name in names:
        parts = _GRADE.fullmatch(name)
        if parts and not name.lower().startswith(_NO_GRADES):
            rank = 0 if (parts["form"] or "").lower().startswith("percent") else 1
            found.append(Column(name, parts["kind"].strip().lower() == "quiz", parts["item"].strip(), 100, rank))
    return tuple(sorted(found, key=lambda column: column.rank))


def student(record: dict[str, str], named: Callable[[str], str | None]) -> str | None:
    """Whose grades a row holds: `named` tells who has a name in the logs beside it, as these know people by numbers."""
    plain = {_plain(name): value.strip() for name, value in record.items() if isinstance(value, str)}
    told = next((user for name in USERS if (user := person(plain.get(name)))), None)
    if told:
        return told
    name = " ".join(filter(None, (plain.get("firstname"), plain.get("surname") or plain.get("lastname"))))
    found = named(name)
    if found and found != name:
        return found
    return next((user for column in LAST_RESORTS if (user := person(plain.get(column)))), None) or found


def exported_at(record: dict[str, str]) -> str | None:
    """When the table was exported, as the table says it."""
    return next((value for name, value in record.items() if _plain(name) == EXPORTED_AT), None) or None


def grades(record: dict[str, Any], left_out: Callable[[str], None]) -> Iterator[Grade]:
    """The grades of a row; those that are none are left out with a reason."""
    done: set[str] = set()
    for column in grade_columns(tuple(record)):
        text = str(record[column.name] or "").strip()
        item = identifier(column.item)
        if text in ("", "-") or item is None or column.item in done:
            continue
        found = _NUMBER.fullmatch(text)
        if not found:
            left_out("grade: no number")
            continue
        try:
            score = points(found[1].replace(",", "."), 100 if found[2] else column.most)
        except Unmapped:
            left_out(f"grade: not from 0 to {column.most}")
            continue
        done.add(column.item)
        yield Grade(column.quiz, item, score)


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return _NOT_IN_NAMES.sub("", name.lower())
