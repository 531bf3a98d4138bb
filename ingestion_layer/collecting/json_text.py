"""JSON as it is sent, whole or in lines: read as every later reader can read it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

# Fewer brackets than this can't be nested too deeply.
SHALLOW = 200
# What stands for a line that is no JSON.
NOT_JSON = object()


def read_json(text: bytes | str) -> Any:
    """The value of a text. ValueError for what is no JSON, or is nested more deeply than can be written again."""
    value = orjson.loads(text)
    opening = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if text.count(opening[0]) + text.count(opening[1]) > SHALLOW:  # type: ignore[arg-type]
        try:
            orjson.dumps([[value]])
        except TypeError:
            raise ValueError("nested too deeply") from None
    return value


def read_lines(body: bytes) -> Iterator[tuple[bytes, Any]]:
    """Each line of a body that isn't blank, without what surrounds it, and its value or NOT_JSON."""
    for line in body.split(b"\n"):
        line = line.strip(b" \t\r")
        if line:
            try:
                yield line, read_json(line)
            except ValueError:
                yield line, NOT_JSON
