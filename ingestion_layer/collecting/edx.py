"""`POST /edx`: tracking logs of Open edX as JSON lines, arrays, or one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.json_text import NOT_JSON, read_json, read_lines
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.streams import Streams

STANDARD = "edx"
MOST_LINES = 50_000
Wrong = dict[str, object]


def add(app: FastAPI, desk: Desk, streams: Streams) -> None:
    """Add the route."""

    @app.post("/edx", summary="Tracking logs of Open edX: JSON lines, an array, or one.")
    async def edx(request: Request) -> Response:
        source = desk.gate.source(request, STANDARD)
        async with desk.body(request, source) as body:
            events, wrong = lines_of(body)
        if not events:
            desk.accounts.settle(source, rejected=max(1, len(wrong)))
            if not wrong:
                raise Refused(400, "body", "must hold a line; got none")
            told: dict[str, object] = {"accepted": 0, "duplicate": 0, "invalid": wrong}
            return Response(orjson.dumps(told), 422, media_type="application/json")
        new = await streams.take(source, events, len(wrong))
        told = {"accepted": new, "duplicate": len(events) - new, "invalid": wrong}
        return Response(orjson.dumps(told), media_type="application/json")


def lines_of(body: bytes) -> tuple[list[dict[str, Any]], list[Wrong]]:
    """The lines that are events of a tracking log, and what is wrong with the others: their numbers and why."""
    events, wrong = [], list[Wrong]()
    for number, found in enumerate(_documents(body), 1):
        if not isinstance(found, dict):
            wrong.append({"line": number, "reason": "not JSON" if found is NOT_JSON else "not a JSON object"})
        elif not (found.get("event_type") or found.get("name")) or not (found.get("time") or found.get("timestamp")):
            wrong.append({"line": number, "reason": "no event with a time and a type"})
        else:
            events.append(found)
    if len(events) > MOST_LINES:
        raise Refused(413, "body", f"must hold at most {MOST_LINES} lines; got {len(events)}")
    return events, wrong


def _documents(body: bytes) -> Iterator[Any]:
    if body.lstrip()[:1] == b"[":
        try:
            yield from read_json(body)
        except ValueError:
            yield NOT_JSON
        return
    for _, value in read_lines(body):
        yield value
