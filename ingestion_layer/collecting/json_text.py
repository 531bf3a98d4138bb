"""JSON as it is sent: read as every later reader can read it again."""

from __future__ import annotations

from typing import Any

import orjson

# Fewer brackets than this can't be nested too deeply.
SHALLOW = 200


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
