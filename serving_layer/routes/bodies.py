"""What a request's body says: a JSON object with fields of text."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from serving_layer.errors import BadQuery


async def object_of(request: Request) -> dict[str, Any]:
    """The JSON object of the body; BadQuery for anything else."""
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise BadQuery("body", "must be a JSON object, sent as application/json")
    return found


def text_of(body: dict[str, Any], name: str, longest: int) -> str:
    """A field that is text, which may be missing; BadQuery for another."""
    found = body.get(name, "")
    if not isinstance(found, str) or len(found) > longest:
        raise BadQuery(name, f"must be text of at most {longest} characters")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise BadQuery(name, "must be Unicode text; got half of a pair") from None
    return found
