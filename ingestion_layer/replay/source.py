"""What the replays share: reading files, plain or gzip, and making events with stable identities."""

from __future__ import annotations

import csv
import gzip
import io
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import orjson

from catalogue.events import TOPICS

Record = tuple[str, bytes, bytes]
LONGEST_IDENTIFIER = 128
NAMESPACE = uuid.UUID("6f1d9f0a-6a3c-5d0e-9a55-0f2b8c1f7e11")
_PLACES = {e.name: (t.name, t.category) for t in TOPICS.values() for e in t.event_types}


class Unmapped(Exception):
    """A row that becomes no event; the message says why."""


class ReplayError(Exception):
    """Data that can't be replayed; the message is one line for people."""


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked where its name ends in .gz."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
        yield from file


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
        yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))


def documents(path: Path, skipped: Counter[str]) -> Iterator[dict]:
    """The JSON objects of a file: one per line, in arrays, or all of it one document; what is none is counted."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
        first = next((line for line in file if line.strip()), b"")
        try:
            orjson.loads(first)
        except orjson.JSONDecodeError:
            texts: Iterable[bytes] = [first + file.read()]
        else:
            texts = chain([first], file)
        for text in filter(bytes.strip, texts):
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError:
                skipped["not JSON"] += 1
                continue
            for document in value if isinstance(value, list) else [value]:
                if isinstance(document, dict):
                    yield document
                else:
                    skipped["not a JSON object"] += 1


def instant(text: str) -> datetime:
    """The moment of an ISO 8601 text; one without a zone is in UTC. Raises TypeError and ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def identity(*parts: object) -> str:
    """The same UUID for the same source row, every time."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


def identifier(text: str) -> str:
    """`text` as an identifier; Unmapped where it can't be one."""
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_IDENTIFIER:
        raise Unmapped(f"an identifier is not of 1 to {LONGEST_IDENTIFIER} characters")
    return text


def event(name: str, event_id: str, user: str, moment: datetime, **fields: object) -> Record:
    """An event of type `name` at an aware moment; fields that are None are left out."""
    topic, category = _PLACES[name]
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    head = {"event_id": event_id, "event_category": category, "event_type": name, "user_id": user, "timestamp": stamp}
    body = {k: v for k, v in fields.items() if v is not None}
    return topic, user.encode(), orjson.dumps(head | body)
