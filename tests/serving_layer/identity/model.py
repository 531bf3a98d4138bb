"""What may be seen, told a second time in plain Python that shares nothing with the product; and random requests."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from catalogue.views import VIEWS

SECRET = "a key of the tests, of more than 32 characters"
COUNTED = {
    "auth_daily_active_users": "daily_active_users",
    "auth_registration_analytics": "new_signups",
    "profile_field_changes": "unique_users_updating",
    "profile_daily_activity": "unique_users",
    "notification_delivery_stats": "unique_recipients",
    "notification_daily_activity": "unique_users",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
Row = dict[str, Any]
Links = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Person:
    """Somebody with a key: role and id, whom the roster knows or not."""

    role: str
    id: str


def pseudonym(person: str) -> str:
    return hmac.new(SECRET.encode(), person.encode(), hashlib.sha256).hexdigest()[:24]


def person_column(view: str) -> str | None:
    return next((c for c in ("student_id", "user_id") if c in VIEWS[view].key), None)


def visible(person: Person, view: str, rows: list[Row], teaches: Links, advises: Links) -> list[Row] | None:
    """What a person may see of a view's rows; None: nothing of the view at all."""
    columns, who = set(VIEWS[view].key), person_column(view)
    if person.role in ("admin", "service"):
        return rows
    if person.role == "analyst":
        return [{**row, who: pseudonym(row[who])} for row in rows] if who else rows
    if person.role == "lecturer" and "course_id" in columns:
        taught = teaches.get(person.id)
        return [row for row in rows if row["course_id"] in taught] if taught else None
    if person.role == "adviser" and who:
        advised = advises.get(person.id)
        return [row for row in rows if row[who] in advised] if advised else None
    if person.role == "student" and who:
        return [row for row in rows if row[who] == person.id]
    if who or "course_id" in columns or view not in COUNTED:
        return None
    return [row for row in rows if row[COUNTED[view]] >= 5]


def sees_groups(person: Person, view: str) -> bool:
    """Whether the person sees groups of the view, none of whose members they may see."""
    return person.role in ("lecturer", "adviser", "student") and not {"course_id", person_column(view)} & set(
        VIEWS[view].key
    )


def place(row: Row) -> str:
    return repr(sorted(row.items(), key=lambda item: item[0]))


def asked(rng: Random, view: str, rows: list[Row], person: Person) -> dict[str, str]:
    """Filters of a random request, often for what isn't the person's."""
    parameters: dict[str, str] = {}
    names = list(rows[0]) if rows else list(VIEWS[view].key)
    who = person_column(view)
    for name in rng.sample(names, k=min(len(names), rng.choice((0, 1, 1, 2)))):
        values = [row[name] for row in rows if row[name] is not None]
        if not values:
            continue
        value = rng.choice(values)
        if person.role == "analyst" and name == who and rng.random() < 0.7:
            value = pseudonym(value)
        match rng.choice(("", "", "__in", "__gte", "__lt", "__isnull")):
            case "__isnull":
                parameters[f"{name}__isnull"] = "true"
            case "__in" if isinstance(value, str):
                more = rng.choice(values)
                parameters[f"{name}__in"] = ",".join('"' + v.replace('"', '""') + '"' for v in (value, str(more)))
            case operator if operator in ("__gte", "__lt"):
                parameters[name + operator] = str(value)
            case _:
                parameters[name] = str(value)
    return parameters


def suits(row: Row, parameters: Mapping[str, str]) -> bool:
    """Whether a row meets every filter."""
    for parameter, text in parameters.items():
        name, _, operator = parameter.partition("__")
        value = row[name]
        if operator == "isnull":
            if value is not None:
                return False
            continue
        if value is None:
            return False
        if operator == "in":
            if value not in next(csv.reader(io.StringIO(text, newline=""))):
                return False
            continue
        wanted: Any = type(value)(text) if isinstance(value, (int, float)) else text
        same: Any = value
        if isinstance(value, str) and all(TIME.fullmatch(v) for v in (value, text)):
            wanted, same = (dt.datetime.fromisoformat(v) for v in (text, value))
        elif isinstance(value, str):
            wanted, same = wanted.encode(), value.encode()
        if not {"": same == wanted, "gte": same >= wanted, "lt": same < wanted}[operator]:
            return False
    return True
