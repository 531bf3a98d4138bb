"""`POST /canvas`: Canvas' Live Events over HTTPS, signed by Instructure or plain behind the source's key.

In Caliper's form they are mapped as every other system's; in Canvas' own they are kept whole, until a mapping knows
them.
"""

from __future__ import annotations

import threading
import time
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
LOOK_SECONDS, PATIENCE_SECONDS, AGAIN_SECONDS = 3600, 10, 5.0
# By how much clocks may differ.
LEEWAY_SECONDS = 60


class Keys:
    """The public keys by which Canvas signs, asked for at `address` and kept for an hour.

    A key that isn't among them may be new, as Canvas changes its keys: they are asked for again, but not more often
    than every AGAIN_SECONDS, whatever names of keys senders invent.
    """

    def __init__(self, address: str):
        self._client = jwt.PyJWKClient(address, lifespan=LOOK_SECONDS, timeout=PATIENCE_SECONDS)
        self._lock = threading.Lock()
        self._asked_again = -AGAIN_SECONDS

    def opened(self, token: str) -> Any:
        """What a signed text says. Refused: 401 where nobody known signed it or its time is over, 503 where the keys
        can't be had now.
        """
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS or not isinstance(head.get("kid"), str):
                raise Refused(401, "signature", f"must name a key and be of {', '.join(ALGORITHMS)}")
            told = read_json(jwt.api_jws.decode(token, self._key(head["kid"]), algorithms=ALGORITHMS))
        except jwt.PyJWKClientConnectionError as error:
            raise come_again("keys", f"must be had from the address in CANVAS_KEYS; got {error}") from None
        except (jwt.PyJWTError, ValueError):
            raise Refused(401, "signature", "must be one of Canvas' keys") from None
        _check_times(told)
        return told

    def _key(self, name: str) -> jwt.PyJWK:
        with self._lock:
            found = self._client.match_kid(self._client.get_signing_keys(), name)
            if found is None:
                if time.monotonic() - self._asked_again < AGAIN_SECONDS:
                    raise come_again("keys", "must have been asked for the one named; come again", AGAIN_SECONDS)
                self._asked_again = time.monotonic()
                found = self._client.match_kid(self._client.get_signing_keys(refresh=True), name)
        if found is None:
            raise Refused(401, "signature", "must be one of Canvas' keys")
        return found


def _check_times(told: Any) -> None:
    """401 for what is signed for another time than now; where it tells none, it holds for good."""
    if not isinstance(told, dict):
        return
    for name, sign in (("exp", 1), ("nbf", -1)):
        moment = told.get(name)
        if isinstance(moment, int | float) and sign * (time.time() - moment) > LEEWAY_SECONDS:
            raise Refused(401, "signature", f"must hold now; {name} is {moment}")


def add(app: FastAPI, desk: Desk, streams: Streams) -> None:
    """Add the route."""
    keys = Keys(desk.settings.canvas_keys) if desk.settings.canvas_keys else None

    @app.post("/canvas", summary="Canvas Live Events, signed or plain.")
    async def canvas(request: Request) -> Response:
        source = desk.gate.source(request, STANDARD)
        async with desk.body(request, source) as body:
            try:
                events = await _events(body, keys)
            except Refused as refusal:
                desk.accounts.settle(source, **{"deferred" if refusal.status == 503 else "rejected": 1})
                raise
        caliper = [one for one in events if "eventTime" in one]
        own = [one for one in events if "eventTime" not in one]
        if own:
            records = [unmapped_record(source, one, "Canvas' own form: no mapping knows it") for one in own]
            try:
                await desk.deliver(records)
            except Refused as refusal:
                desk.accounts.settle(source, **{"rejected" if refusal.status == 413 else "deferred": len(events)})
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
        if keys is None and text.count(b".") != 2:
            raise Refused(400, "body", "must be JSON, or a signed JSON in compact form")
        if keys is None:
            raise Refused(501, "signature", "is checked where the setting CANVAS_KEYS names Canvas' keys; it is empty")
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
