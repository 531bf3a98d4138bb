"""`POST /caliper`: envelopes of Caliper 1.1 and 1.2, and lists that are none, as Open edX sends them."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI, Request, Response

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.json_text import read_json
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.streams import Streams

STANDARD = "caliper"
TYPES = ("application/json", "application/ld+json", "application/vnd.ims.caliper.v1p1+json")
VERSIONS = re.compile(r"https?://purl\.imsglobal\.org/ctx/caliper(/v1p[12])?")
MOST_EVENTS = 10_000
_EVENT = ("type", "actor", "action", "object", "eventTime")


def add(app: FastAPI, desk: Desk, streams: Streams) -> None:
    """Add the route."""

    @app.post("/caliper", summary="Caliper 1.1 and 1.2: envelopes, events, and lists of them.")
    async def caliper(request: Request) -> Response:
        source = desk.gate.source(request, STANDARD)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        async with desk.body(request, source) as body:
            try:
                if kind not in TYPES and not kind.startswith("application/vnd.ims.caliper."):
                    raise Refused(415, "Content-Type", f"must be application/json; got {kind!r}")
                events = list(_events(body))
            except Refused:
                desk.accounts.settle(source, rejected=1)
                raise
        entities = [one for one in events if _is_entity(one)]
        await streams.take(source, [one for one in events if not _is_entity(one)], len(entities))
        return Response(status_code=200)


def _events(body: bytes) -> list[dict[str, Any]]:
    """The events and entities of a body. 400 for what is no JSON, 422 for what is no Caliper."""
    try:
        told = read_json(body)
    except ValueError:
        raise Refused(400, "body", "must be JSON") from None
    found: Any = [told]
    if isinstance(told, list):
        found = told
    elif isinstance(told, dict) and "data" in told and "eventTime" not in told:
        found = _enveloped(told)
    if not found:
        raise Refused(422, "data", "must hold an event; got none")
    if len(found) > MOST_EVENTS:
        raise Refused(413, "data", f"must hold at most {MOST_EVENTS} events; got {len(found)}")
    flat: list[dict[str, Any]] = []
    for place, event in enumerate(found):
        if isinstance(event, dict) and "data" in event and "eventTime" not in event:
            flat += _enveloped(event)  # a list of envelopes
        elif not isinstance(event, dict):
            raise Refused(422, f"data[{place}]", "must be an event")
        else:
            flat.append(event)
    for place, event in enumerate(flat):
        _check(event, f"data[{place}]")
    return flat


def _enveloped(told: dict[str, Any]) -> list[Any]:
    version = told.get("dataVersion")
    if version is not None and not (isinstance(version, str) and VERSIONS.fullmatch(version)):
        raise Refused(422, "dataVersion", f"must be that of Caliper 1.1 or 1.2; got {str(version)[:80]!r}")
    for name in ("sensor", "sendTime"):
        if not isinstance(told.get(name), str) or not told[name]:
            raise Refused(422, name, "must be a string in an envelope")
    data = told["data"]
    if not isinstance(data, list) or not all(isinstance(event, dict) for event in data):
        raise Refused(422, "data", "must be an array of events")
    return data


def _check(event: dict[str, Any], name: str) -> None:
    if _is_entity(event):
        return
    if "@type" in event and "type" not in event:
        raise Refused(422, name, "must be of Caliper 1.1 or 1.2; got one of 1.0")
    for field in _EVENT:
        if not event.get(field):
            raise Refused(422, f"{name}.{field}", "must be there in an event")
    for field in ("type", "action", "eventTime"):
        if not isinstance(event[field], str):
            raise Refused(422, f"{name}.{field}", "must be a string")


def _is_entity(event: dict[str, Any]) -> bool:
    """Whether it describes a thing, which happens to nobody: a sensor may send those too."""
    return "action" not in event and "eventTime" not in event and isinstance(event.get("type"), str) and "id" in event
