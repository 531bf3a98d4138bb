"""The route that says what the answers cover, how far behind they may be, and whether the ledger closes."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from serving_layer.identity.gate import Gate
from serving_layer.openapi import ERRORS, FRESHNESS
from serving_layer.query.coverage import Coverage
from serving_layer.query.formats import json_bytes
from serving_layer.routes.views import json_response
from serving_layer.state.serving_state import ServingState


def add(app: FastAPI, state: ServingState, coverage: Coverage, gate: Gate) -> None:
    """`/freshness`."""

    @app.get(
        "/freshness",
        responses={**FRESHNESS, 401: ERRORS[401], 503: ERRORS[503]},
        summary="What the answers cover, and the ledger",
    )
    async def freshness(request: Request) -> Response:
        await gate.viewer(request)
        with state.reading() as generation:
            watermark, lag = coverage.over_all(generation)
            topics = generation.topics
            answer = {
                "run": generation.run,
                "published_at": generation.current.published_at or None,
                "cut": {t: s.cut for t, s in topics.items()},
                "head": {t: dict(s.head) for t, s in topics.items()},
                "watermark": watermark,
                "lag_seconds": lag,
                "ledger": {t: {p: dict(e) for p, e in s.ledger.items()} for t, s in topics.items()},
                "speed_layer": state.heartbeat.said and state.heartbeat.said.at,
            }
            return json_response(json_bytes(answer))
