"""`POST /events`: our own events, one, an array of them, or JSON lines, each answered for.

An event keeps its bytes where it comes alone or on a line of its own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.json_text import NOT_JSON, read_json, read_lines
from ingestion_layer.collecting.kafka_delivery import LARGEST_EVENT
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.topic_limits import Limits
from ingestion_layer.collecting.verdicts import Fault, fault, topic_of
from ingestion_layer.replay.row import Record

STANDARD = "events"
MOST_EVENTS = 50_000
_NOT_JSON = Fault("not_json", "body", "body must be JSON")
_NO_OBJECT = Fault("not_an_object", "body", "an event must be a JSON object")
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines")
_BREAKS = re.compile(rb"[\r\n]+")
Part = tuple[bytes, Any]  # an event's bytes and its value, or the Fault that it is


def add(app: FastAPI, desk: Desk) -> None:
    """Add the route."""

    @app.post("/events", summary="Events of ours: one, an array, or JSON lines; each is answered for.")
    async def events(request: Request) -> Response:
        source = desk.gate.source(request, STANDARD)
        async with desk.body(request, source) as body:
            parts = _parts(body, request.headers.get("content-type", ""))
            desk.gate.admit(source, len(parts))
            records, answers = judged(parts, datetime.now(UTC), desk.kafka.limits)
        rejected = sum("reason" in answer and answer["status"] == "invalid" for answer in answers)
        duplicate = len(answers) - rejected - len(records)
        try:
            await desk.deliver(records)
        except Refused as refusal:
            fate = {"rejected": rejected, "deferred": len(records)}
            if refusal.status == 413:
                fate = {"rejected": rejected + len(records)}
            desk.accounts.settle(source, **fate, duplicate=duplicate)
            raise
        desk.accounts.settle(source, accepted=len(records), rejected=rejected, duplicate=duplicate)
        told = {"accepted": len(records), "duplicate": duplicate, "invalid": rejected, "events": answers}
        status = 422 if answers and rejected == len(answers) else 200
        return Response(orjson.dumps(told), status, media_type="application/json")


def judged(parts: list[Part], now: datetime, limits: Limits) -> tuple[list[Record], list[dict[str, Any]]]:
    """What goes to Kafka, and the answer for each part."""
    records: list[Record] = []
    answers: list[dict[str, Any]] = []
    seen: set[str] = set()
    for content, event in parts:
        wrong = event if isinstance(event, Fault) else _NO_OBJECT if not isinstance(event, dict) else fault(event, now)
        if wrong is None:
            key = event.get("event_id")
            if key is not None and (known := key.lower()) in seen:
                answers.append({"status": "duplicate", "event_id": key})
                continue
            topic = topic_of(event)
            record = (topic.name if topic else "", event["user_id"].encode(), content)
            most = min(limits.most(record[0]), LARGEST_EVENT)
            if len(record[1]) + len(content) <= most:
                if key is not None:
                    seen.add(known)
                records.append(record)
                answers.append({"status": "accepted", "event_id": key})
                continue
            wrong = Fault("too_large", "body", f"an event must have at most {most} bytes")
        answers.append({"status": "invalid", **wrong._asdict()})
    return records, answers


def _parts(body: bytes, kind: str) -> list[Part]:
    """The events of a body; Refused where it holds none, or too many."""
    kind = kind.partition(";")[0].strip().lower()
    found = _lines(body) if kind in _LINES else _whole(body)
    if not found:
        raise Refused(400, "body", "must hold an event; got none")
    if len(found) > MOST_EVENTS:
        raise Refused(413, "body", f"must hold at most {MOST_EVENTS} events; got {len(found)}")
    return found


def _whole(body: bytes) -> list[Part]:
    """A body that is one JSON value, else lines of them."""
    try:
        value = read_json(body)
    except ValueError:
        found = _lines(body)
        if len(found) < 2 or all(event is _NOT_JSON for _, event in found):
            raise Refused(400, "body", "must be a JSON object, an array of them, or JSON lines") from None
        return found
    if isinstance(value, list):
        return [(orjson.dumps(event), event) for event in value]
    if not isinstance(value, dict):
        raise Refused(400, "body", "must be a JSON object, an array of them, or JSON lines")
    return [(_BREAKS.sub(b" ", body).strip(), value)]


def _lines(body: bytes) -> list[Part]:
    return [(line, _NOT_JSON if value is NOT_JSON else value) for line, value in read_lines(body)]
