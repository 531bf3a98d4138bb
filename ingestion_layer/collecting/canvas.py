"""`POST /canvas`: Canvas' Live Events over HTTPS, signed by Instructure or plain behind the source's key.

In Caliper's form they are mapped as every other system's; in Canvas' own they are kept whole, until a mapping knows
them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jwt
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.intake import unmapped_record
from ingestion_layer.collecting.json_text import read_json
from ingestion_layer.collecting.refusals import Refused, come_again
from ingestion_layer.collecting.sources import Source
from ingestion_layer.collecting.streams import Streams

STANDARD = "canvas"
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256"]
LOOK_SECONDS, PATIENCE_SECONDS = 3600, 10


class Keys:
    """The public keys by which Canvas signs, asked for at `address` and kept for an hour."""

    def __init__(self, address: str):
        self._client = jwt.PyJWKClient(address, lifespan=LOOK_SECONDS, timeout=PATIENCE_SECONDS)

    def opened(self, token: str) -> Any:
        """What a signed text says. Refused: 401 where nobody known signed it, 503 where the keys can't be had."""
        try:
            key = self._client.get_signing_key_from_jwt(token)
            return read_json(jwt.api_jws.decode(token, key.key, algorithms=ALGORITHMS))
        except jwt.PyJWKClientConnectionError as error:
            raise come_again("keys", f"must be had from the address in CANVAS_KEYS; got {error}") from None
        except (jwt.PyJWTError, ValueError):
            raise Refused(401, "signature", "must be one of Canvas' keys") from None


def add(app: FastAPI, desk: Desk, streams: Streams) -> None:
    """Add the route."""
    keys = Keys(desk.settings.canvas_keys) if desk.settings.canvas_keys else None

    @app.post("/canvas", summary="Canvas Live Events, signed or plain.")
    async def canvas(request: Request) -> Response:
        source = desk.gate.source(request, STANDARD)
        async with desk.body(request, source) as body:
            events = await _events(body, keys)
        caliper = [one for one in events if "eventTime" in one]
        own = [one for one in events if "eventTime" not in one]
        if own:
            records = [unmapped_record(source, one, "Canvas' own form: no mapping knows it") for one in own]
            try:
                await desk.deliver(records)
            except Refused:
                desk.accounts.settle(source, deferred=len(events))
                raise
            desk.accounts.settle(source, accepted=len(own))
            desk.accounts.unmapped(source, len(own))
        if caliper:
            await streams.take(_as_caliper(source), caliper)
        return Response(status_code=200)


def _as_caliper(source: Source) -> Source:
    return replace(source, standard="caliper")


async def _events(body: bytes, keys: Keys | None) -> list[dict[str, Any]]:
    """The events of a body, whose signature holds where there is one."""
    text = body.strip()
    if text[:1] not in (b"{", b"["):
        if keys is None:
            raise Refused(501, "signature", "is checked where the setting CANVAS_KEYS names Canvas' keys; it is empty")
        if text.count(b".") != 2:
            raise Refused(400, "body", "must be JSON, or a signed JSON in compact form")
        told = await run_in_threadpool(keys.opened, text.decode("ascii", "replace"))
    else:
        if keys is not None:
            raise Refused(401, "signature", "must be there, as the setting CANVAS_KEYS is set")
        try:
            told = read_json(text)
        except ValueError:
            raise Refused(400, "body", "must be JSON, or a signed JSON in compact form") from None
    found = told if isinstance(told, list) else told.get("data", [told]) if _is_envelope(told) else [told]
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise Refused(422, "body", "must hold events, each a JSON object")
    return found


def _is_envelope(told: Any) -> bool:
    return isinstance(told, dict) and "sensor" in told and "eventTime" not in told
