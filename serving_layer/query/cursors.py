"""Cursors: where a page ended, as opaque text."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from serving_layer.errors import BadQuery
from serving_layer.query.query import Query
from serving_layer.query.values import text_of, value_of


def encoded(query: Query, row: dict[str, Any], snapshot: str) -> str:
    """What asks for the page after the one that ends with `row`, in the same snapshot."""
    position = [text_of(row[name]) for name, _ in query.order]
    data = json.dumps([query.shape, snapshot, position], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def decoded(text: str, query: Query) -> tuple[tuple[Any, ...], str]:
    """The values of the query's order at which the page before ended, and its snapshot; raises BadQuery."""
    problem = BadQuery("cursor", "must be the 'next' of an answer to the same query")
    try:
        shape, snapshot, position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, TypeError, RecursionError):
        raise problem from None
    if shape != query.shape or not isinstance(position, list) or len(position) != len(query.order):
        raise problem
    if not isinstance(snapshot, str):
        raise problem
    values = []
    for (name, _), value in zip(query.order, position, strict=True):
        if value is not None and not isinstance(value, (str, int, float)):
            raise problem
        try:
            values.append(None if value is None else value_of("cursor", str(value), query.columns[name]))
        except BadQuery:
            raise problem from None
    return tuple(values), snapshot
