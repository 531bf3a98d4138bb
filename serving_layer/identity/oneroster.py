"""Rosters from OneRoster 1.1 or 1.2 CSV files: who teaches which course, who advises whom."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from serving_layer.identity.roster import BadRoster, Links

# By which of a file's columns events know a person, and a course of a class.
PERSON_IDS = ("sourcedId", "username", "identifier", "email")
COURSE_IDS = ("courseSourcedId", "sourcedId", "classCode")
TEACHING = ("teacher", "aide", "proctor")
# Agents of a student who are family see nothing here.
ADVISING = ("teacher", "aide", "administrator", "counselor", "principal", "siteAdministrator", "districtAdministrator")


def roster_of(folder: Path, person: str = "sourcedId", course: str = "courseSourcedId") -> tuple[Links, Links]:
    """The courses by lecturer and the students by adviser of `users.csv`, `classes.csv`, `enrollments.csv` in a folder.

    1.2's `roles.csv` is read where it is there; rows to be deleted are left out. BadRoster says what is wrong where.
    """
    if person not in PERSON_IDS:
        raise BadRoster(f"roster: person must be one of {', '.join(PERSON_IDS)}; got {person!r}")
    if course not in COURSE_IDS:
        raise BadRoster(f"roster: course must be one of {', '.join(COURSE_IDS)}; got {course!r}")
    users = {row["sourcedId"]: row for row in _rows(folder / "users.csv", ("sourcedId", person))}
    classes = {row["sourcedId"]: row[course] for row in _rows(folder / "classes.csv", ("sourcedId", course))}
    teaches: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(folder / "enrollments.csv", ("classSourcedId", "userSourcedId", "role")):
        user, taught = users.get(row["userSourcedId"]), classes.get(row["classSourcedId"])
        if row["role"] in TEACHING and user and user[person] and taught:
            teaches[user[person]].add(taught)
    advises: defaultdict[str, set[str]] = defaultdict(set)
    roles = _roles(folder, users)
    for student in users.values():
        for agent in filter(None, (name.strip() for name in (student.get("agentSourcedIds") or "").split(","))):
            adviser = users.get(agent)
            if adviser and adviser[person] and student[person] and roles[agent] & set(ADVISING):
                advises[adviser[person]].add(student[person])
    return _frozen(teaches), _frozen(advises)


def _roles(folder: Path, users: dict[str, dict[str, str]]) -> defaultdict[str, set[str]]:
    """Every role of a user: a column of 1.1's users, a file of 1.2."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, row in users.items():
        found[name].add(row.get("role") or "")
    if (folder / "roles.csv").exists():
        for row in _rows(folder / "roles.csv", ("userSourcedId", "role")):
            found[row["userSourcedId"]].add(row["role"])
    return found


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise BadRoster(
                    f"roster: '{file.name}' must have the columns {', '.join(columns)}; {missing[0]} is missing"
                )
            for row in reader:
                if None in row or None in row.values():
                    raise BadRoster(f"roster: '{file.name}' line {reader.line_num}: must have a field for every column")
                if row.get("status", "active") != "tobedeleted":
                    yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRoster(f"roster: '{file.name}' must be a CSV file of OneRoster; {error}") from error


def _frozen(links: dict[str, set[str]]) -> Links:
    return {name: frozenset(values) for name, values in sorted(links.items())}
