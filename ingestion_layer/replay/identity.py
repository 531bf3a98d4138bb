"""Identities made of content: the same for the same row, wherever it stands and however it is written."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import orjson

LONGEST = 128
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOSE = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?")
NOBODY = frozenset(("", "-", "0", "none", "null", "nan", "undefined"))
DIGEST = 16


def digest(content: bytes) -> bytes:
    """The short form that stands for a content."""
    return blake2b(content, digest_size=DIGEST).digest()


def canonical(content: Any) -> bytes:
    """JSON in the one form that doesn't depend on how it was written."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def uuid_of(content: bytes) -> str:
    """The UUID (version 8) that stands for a content."""
    text = blake2b(content, digest_size=DIGEST).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-a{text[17:20]}-{text[20:]}"


def identity(*parts: object) -> str:
    """The UUID that stands for `parts`, each as text."""
    return uuid_of("\x1f".join(map(str, parts)).encode("utf-8", "replace"))


def plain_uuid(text: object) -> str | None:
    """A UUID in its usual form, whatever form it has in `text`; None where it is none."""
    if not isinstance(text, str):
        return None
    if UUID.fullmatch(text):
        return text
    found = _LOOSE.fullmatch(text.strip().lower())
    return "-".join(found.groups()) if found else None


def identifier(value: object) -> str | None:
    """`value` as an identifier of an event; None where it names nothing.

    What is longer than 128 characters keeps its beginning and a hash of all of it, so that different ones stay so.
    """
    if type(value) is str:
        if value.isprintable() and len(value) <= LONGEST:
            return value.strip() or None
        text = _printable(value)
    elif type(value) is int:
        text = str(value)
    elif type(value) is float and value.is_integer():
        text = str(int(value))
    else:
        return None
    if len(text) <= LONGEST:
        return text.strip() or None
    return f"{text[: LONGEST - 33]}~{digest(text.encode()).hex()}"


def _printable(text: str) -> str:
    """Other characters are kept, but for those that JSON readers stumble over: these only count in a hash."""
    text = text.strip()
    kept = text.replace("\0", "")
    return text if kept == text else f"{kept[: LONGEST - 33]}~{digest(text.encode()).hex()}"


def person(value: object) -> str | None:
    """`value` as a user's identifier; None where it stands for nobody."""
    text = identifier(value)
    return None if text is None or text.lower() in NOBODY else text
