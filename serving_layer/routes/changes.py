"""The route that tells followers what has changed, as server-sent events."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from serving_layer.advising.marks import Marks
from serving_layer.identity.gate import Gate
from serving_layer.openapi import CHANGES, ERRORS
from serving_layer.state.changes import Changes

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies are to pass each event on at once


def add(app: FastAPI, changes: Changes, marks: Marks, gate: Gate) -> None:
    """`/changes`."""

    @app.get(
        "/changes",
        responses={**CHANGES, 401: ERRORS[401], 503: ERRORS[503]},
        summary="A stream of what is served, and of which views have changed",
    )
    async def follow(request: Request) -> Response:
        viewer = await gate.viewer(request)
        who = f"{viewer.role} {viewer.person or viewer.credential}" if gate.required else ""
        changes.check(who)
        streams = MEDIA_TYPE in request.headers.get("accept", "")
        told = marks.followed(partial(changes.follow, who), viewer) if streams else changes.once()
        return StreamingResponse(told, media_type=MEDIA_TYPE, headers=HEADERS)
