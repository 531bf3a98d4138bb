"""Routes for who watches over the process: whether it lives, whether it is ready, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving_layer.metrics import Metrics
from serving_layer.openapi import ERRORS, HEALTH
from serving_layer.problems import problem
from serving_layer.query.snapshots import Snapshots
from serving_layer.state.serving_state import ServingState


def routes(state: ServingState, metrics: Metrics, snapshots: Snapshots) -> APIRouter:
    """`/health/live`, `/health/ready` and `/metrics`."""
    router = APIRouter()

    @router.get("/health/live", responses=HEALTH, summary="The process answers")
    async def live() -> Response:
        return JSONResponse({"status": "live"})

    @router.get("/health/ready", responses={**HEALTH, 503: ERRORS[503]}, summary="The newest objects are served")
    async def ready() -> Response:
        if state.is_ready:
            return JSONResponse({"status": "ready"})
        serving = "the last good state is served" if state.generation else "nothing is served yet"
        return problem(503, "state", f"{state.problem or 'stopped'}; {serving}")

    @router.get("/metrics", summary="Prometheus metrics", responses={200: {"content": {"text/plain": {}}}})
    def prometheus() -> Response:
        snapshots.drop_old()
        return Response(generate_latest(metrics.exposition.registry), media_type=CONTENT_TYPE_LATEST)

    return router
