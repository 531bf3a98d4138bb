"""Whom the lines of raw files and of the quarantine name, and what such a file is without the lines of some people."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from catalogue.at_rest.erasures import STUB
from catalogue.events import TOPICS
from catalogue.sql.typed_events import persons_of

# Texts that are looked for in one go: Arrow's automaton of a thousand doesn't fit the memory that it has, of this many
# it takes as long as of one.
AT_ONCE = 100


class Looked(Protocol):
    """The people that are looked for."""

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that are theirs."""

    def may_be_in(self, texts: Sequence[bytes]) -> list[bool]:
        """Whether each of some JSON texts can name one of them."""


@dataclass
class Found:
    """Lines that name people: how many, and by partition the first and the last offset and how many they are."""

    lines: int = 0
    offsets: dict[str, list[int]] = field(default_factory=dict)

    def add(self, partition: object, offset: object) -> None:
        """Count a line."""
        self.lines += 1
        if isinstance(partition, int) and isinstance(offset, int):
            bounds = self.offsets.setdefault(str(partition), [offset, offset, 0])
            self.offsets[str(partition)] = [min(bounds[0], offset), max(bounds[1], offset), bounds[2] + 1]


class People:
    """The people whose ids are looked for in files."""

    def __init__(self, ids: Iterable[str]):
        self.ids = frozenset(ids)
        self._patterns = patterns_of(["\\", '"base64"', *self.ids])

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that are theirs."""
        return [one for one in ids if one in self.ids]

    def may_be_in(self, texts: Sequence[bytes]) -> list[bool]:
        """Whether each text can name one of them: as it is, by an escape, or in base64, as the quarantine has it."""
        array = pa.array(texts, pa.large_binary())
        found = [pc.match_substring_regex(array, pattern).to_pylist() for pattern in self._patterns]
        return [any(one) for one in zip(*found, strict=True)]


def patterns_of(texts: Iterable[str], before: bytes = b"", after: bytes = b"") -> list[bytes]:
    """Regular expressions of Arrow that find any of these texts between two others, each of as many as is quick."""
    escaped = [re.escape(text).encode("utf-8", "surrogatepass") for text in sorted(texts)]
    alternatives = (b"|".join(escaped[at : at + AT_ONCE]) for at in range(0, len(escaped), AT_ONCE))
    return [b"%b(?:%b)%b" % (before, either, after) for either in alternatives]


def raw_stub(topic: str, partition: int, offset: int, day: str) -> str:
    """The raw line that stands in the place of an erased event: that something arrived there on a day."""
    place = f'"topic":"{topic}","partition":{partition},"offset":{offset}'
    return f'{{{place},"kafka_timestamp":"{day}T00:00:00.000Z","value":{STUB}}}'


def seemingly_named(topic: str, text: bytes) -> list[str]:
    """Whom a text that is no JSON object would name, were it one."""
    member = rf'"(?:{"|".join(_fields(topic))})"\s*:\s*"((?:[^"\\]|\\.)*)"'
    return [_unescaped(found) for found in re.findall(member, text.decode("utf-8", "replace"))]


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object, those of a repeated name too."""


def parted(data: bytes, people: Looked, topic: str, kept: bool = True) -> tuple[bytes, list[bytes], Found]:
    """A raw file with a stub in the place of each line that names one of `people`, these lines, and an account of them.

    Of a file that is not `kept` in its offsets, one of the quarantine, such lines are left out.
    """
    rest: list[bytes] = []
    theirs: list[bytes] = []
    account = Found()
    if not any(people.may_be_in([data])):  # far quicker than by line, and so it is with most files
        return data, theirs, account
    lines = data.split(b"\n")
    for line, may_be in zip(lines, people.may_be_in(lines), strict=True):
        if not (line and may_be and (place := _names(line, people, topic))):
            rest.append(line)
            continue
        theirs.append(line)
        partition, offset, day = place
        account.add(partition, offset)
        if kept and isinstance(partition, int) and isinstance(offset, int):
            rest.append(raw_stub(topic, partition, offset, day).encode())
    return b"\n".join(rest), theirs, account


def _names(line: bytes, people: Looked, topic: str) -> tuple[object, object, str] | None:
    """Partition, offset and day of a line that names one of the people; None for another."""
    members = _members(line)
    if members is None:
        return (None, None, "") if people.among(seemingly_named(topic, line)) else None
    place = dict(members)
    value = place.get("value")
    if not isinstance(value, _Members):  # the quarantine's is a text
        text = _bytes_of(place)
        value = _members(text)
        found = seemingly_named(topic, text) if value is None else _named(topic, value)
    else:
        found = _named(topic, value)
    if not people.among(found):
        return None
    return place.get("partition"), place.get("offset"), str(place.get("kafka_timestamp"))[:10]


def _members(text: bytes) -> _Members | None:
    try:
        found = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, _Members) else None


def _named(topic: str, members: _Members) -> list[str]:
    """Whom an event names in the fields that the catalogue declares, in whatever JSON type and however often."""
    fields = _fields(topic)
    return [one if isinstance(one, str) else json.dumps(one) for name, one in members if name in fields]


def rejected_bytes(line: bytes) -> bytes:
    """What was rejected by a line of the quarantine that has it in base64; empty for every other line."""
    place = dict(_members(line) or ()) if b'"base64"' in line else {}
    return _bytes_of(place) if place.get("value_encoding") == "base64" else b""


def _bytes_of(place: dict[str, Any]) -> bytes:
    value = place.get("value")
    text = value if isinstance(value, str) else json.dumps(value)
    if place.get("value_encoding") == "base64":
        with suppress(binascii.Error):
            return base64.b64decode(text)
    return text.encode("utf-8", "surrogatepass")


def _fields(topic: str) -> tuple[str, ...]:
    return persons_of(topic if topic in TOPICS else "assessment_topic")


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
