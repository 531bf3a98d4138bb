"""Whether the collector lives and takes events, and its metrics."""

from __future__ import annotations

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.refusals import come_again


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""

    @app.get("/health/live", summary="Whether the process answers.")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", summary="Whether events are taken.")
    async def ready() -> dict[str, str]:
        if desk.kafka.away:
            raise come_again("Kafka", "must take events; it is away")
        if not desk.gate.ready:
            raise come_again("sources", "must have been read; they haven't been yet")
        return {"status": "ready"}

    @app.get("/metrics", summary="Metrics for Prometheus.")
    async def metrics() -> Response:
        return Response(generate_latest(desk.accounts.exposition.registry), media_type=CONTENT_TYPE_LATEST)
