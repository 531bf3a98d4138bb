"""A row of any of Moodle's logs in one form: as its report page exports it, as its database holds it, as people pass it
on.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping as Table
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ingestion_layer.replay.identity import person

# Our names of what the columns of a log hold, and how these are called, without regard to capitals, blanks and dots.
COLUMNS = {
    "time": ("time", "timecreated", "timestamp", "datetime", "date"),
    "user": ("userid", "user", "username"),
    "full_name": ("userfullname", "fullname", "name"),
    "related": ("relateduserid",),
    "affected": ("affecteduser",),
    "context": ("eventcontext", "context"),
    "component": ("component",),
    "event": ("eventname", "event"),
    "description": ("description",),
    "course": ("courseid", "course", "coursename", "coursefullname", "courseshortname"),
    "level": ("contextlevel",),
    "instance": ("contextinstanceid",),
    "thing": ("objectid",),
    "action": ("action",),
    "target": ("target",),
    "other": ("other",),
}
# What the report page exports, in this order, in whatever language the names of the columns are.
EXPORTED = ("time", "full_name", "affected", "context", "component", "event", "description", "", "")
MODULE_LEVEL = "70"
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_USERS = re.compile(r"\buser with id '(-?\d+)'")
_ROLE = re.compile(r"\brole with id '(\d+)'")
_GRADE = re.compile(r"\"finalgrade\"(?::|;[sdi]:(?:\d+:)?)\"?(-?\d+(?:\.\d+)?)")
_ITEM = re.compile(r"\"itemid\"(?::|;[sdi]:(?:\d+:)?)\"?(\d+)")


class LogRow(NamedTuple):
    """What a row says; texts are empty where it says nothing."""

    time: Any = ""
    user: Any = ""
    full_name: str = ""
    related: Any = ""
    affected: str = ""
    context: str = ""
    component: str = ""
    event: str = ""
    description: str = ""
    course: Any = ""
    level: str = ""
    instance: str = ""
    thing: str = ""
    other: str = ""
    action: str = ""
    target: str = ""

    def users(self) -> list[str]:
        """Ids of the persons that the description names: who acted, and whom it concerns."""
        return _USERS.findall(self.description)

    def actor(self) -> str | None:
        """Id of who acted, where the row tells one."""
        if self.user not in ("", None):
            return known(self.user)
        users = self.users()
        return known(users[0]) if users else None

    def concerned(self) -> str | None:
        """Id of whom it concerns, where the row tells one."""
        if self.related not in ("", None):
            return known(self.related)
        users = self.users()
        return known(users[1]) if len(users) > 1 else None

    def item(self) -> str:
        """What the event happened to: the name behind the kind in the context, else the id of the activity."""
        context = html.unescape(self.context) if "&" in self.context else self.context
        name = context.partition(": ")[2].strip() or context.strip()
        return self.instance if not name and self.level == MODULE_LEVEL else name

    def role_id(self) -> str:
        """Id of the role that is assigned, empty where none is told."""
        found = _ROLE.search(self.description)
        return found[1] if found else self.thing

    def grade(self) -> tuple[str, str] | None:
        """Id of the grade item, and the final grade, where `other` tells both."""
        item, grade = _ITEM.search(self.other), _GRADE.search(self.other)
        return (item[1], grade[1]) if item and grade else None


def known(value: Any) -> str | None:
    """A person's id; None for nobody, which Moodle also writes as a negative number."""
    text = person(value)
    return None if text is None or text.startswith("-") else text


@lru_cache(maxsize=64)
def columns(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """For each field of a LogRow the column that holds it; all None where the columns are not a log's."""
    plain = {_NOT_IN_NAMES.sub("", name.lower()): name for name in reversed(names) if name}
    found = {field: next((plain[n] for n in aliases if n in plain), None) for field, aliases in COLUMNS.items()}
    if not (found["time"] and (found["event"] or found["component"] and found["action"] and found["target"])):
        if len(names) != len(EXPORTED) or not all(names):
            return (None,) * len(LogRow._fields)
        found = {field: name for field, name in zip(EXPORTED, names, strict=True) if field}
    return tuple(found.get(field) for field in LogRow._fields)


def log_row(document: Table[str, Any], places: tuple[str | None, ...]) -> LogRow:
    """The row in our form."""
    row = LogRow._make([document[place] if place else "" for place in places])
    if not row.event and row.action and row.target:  # the parts that a class's name is made of
        return row._replace(event=rf"\{row.component}\event\{row.target}_{row.action}")
    return row


def texts(document: dict[str, Any]) -> dict[str, Any]:
    """A JSON document's members as a CSV file would hold them: numbers may stay, what is structured is JSON."""
    return {
        name: ""
        if value is None
        else orjson.dumps(value).decode()
        if isinstance(value, dict | list)
        else value
        if name in _NUMBERS
        else str(value)
        for name, value in document.items()
    }


_NUMBERS = frozenset(name for field in ("time", "user", "related", "course") for name in COLUMNS[field])
