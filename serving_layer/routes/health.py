"""Routes for who watches over the process: whether it lives, whether it is ready, and its metrics."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from serving_layer.errors import Forbidden
from serving_layer.identity.gate import Gate
from serving_layer.metrics import Metrics
from serving_layer.openapi import ERRORS, HEALTH, REFUSALS
from serving_layer.problems import problem
from serving_layer.query.snapshots import Snapshots
from serving_layer.state.serving_state import ServingState


def add(app: FastAPI, state: ServingState, metrics: Metrics, snapshots: Snapshots, gate: Gate) -> None:
    """`/health/live`, `/health/started`, `/health/ready` and `/metrics`."""

    @app.get("/health/live", responses=HEALTH, summary="The process answers")
    async def live() -> Response:
        return JSONResponse({"status": "live", "authentication": gate.profile})

    @app.get("/health/started", responses={**HEALTH, 503: ERRORS[503]}, summary="There is a state to answer from")
    async def started() -> Response:
        if state.generation:
            return JSONResponse({"status": "started", "authentication": gate.profile})
        return problem(503, "state", f"{state.problem or 'starting'}; nothing is served yet")

    @app.get("/health/ready", responses={**HEALTH, 503: ERRORS[503]}, summary="The newest objects are served")
    async def ready() -> Response:
        if state.is_ready:
            return JSONResponse({"status": "ready", "authentication": gate.profile})
        serving = "the last good state is served" if state.generation else "nothing is served yet"
        return problem(503, "state", f"{state.problem or 'stopped'}; {serving}")

    @app.get("/metrics", summary="Prometheus metrics", responses={200: {"content": {"text/plain": {}}}, **REFUSALS})
    async def prometheus(request: Request) -> Response:
        viewer = await gate.viewer(request)
        if viewer.role not in ("admin", "service") or viewer.scope is not None:
            raise Forbidden("metrics", "'metrics' tell of everyone: they are for admins and services without a scope")
        snapshots.drop_old()
        text = await run_in_threadpool(generate_latest, metrics.exposition.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)
