"""Routes for operators: what was rejected and why, who sends, and pages of other tools. They are for admins alone."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import Forbidden
from serving_layer.identity.gate import Gate
from serving_layer.identity.viewer import Viewer
from serving_layer.openapi import COLLECTOR, DAY, ERRORS, OPERATION, QUARANTINE, REFUSALS
from serving_layer.operation.collectors import Collectors
from serving_layer.operation.pages import operator_pages
from serving_layer.operation.quarantine import Quarantine
from serving_layer.query.deadlines import Deadlines
from serving_layer.query.formats import json_bytes
from serving_layer.routes.views import json_response

UNSTORED = {"Cache-Control": "no-store"}


def add(app: FastAPI, settings: Settings, deadlines: Deadlines, gate: Gate, recorder: Recorder) -> None:
    """`/operation`, `/quarantine` and `/collector`; SettingsError for pages or addresses that are none."""
    quarantine = Quarantine(open_store(settings.quarantine, settings), deadlines)
    collectors, pages = Collectors(settings), json_bytes({"pages": operator_pages(settings)})

    async def operator(request: Request) -> Viewer:
        viewer = await gate.viewer(request)
        if viewer.role != "admin" or viewer.scope is not None:
            raise Forbidden(request.url.path[1:], f"'{request.url.path}': is for admins alone")
        return viewer

    @app.get("/operation", responses={**OPERATION, **REFUSALS, 503: ERRORS[503]}, summary="Pages of other tools")
    async def operation(request: Request) -> Response:
        await operator(request)
        return json_response(pages, UNSTORED)

    @app.get(
        "/quarantine",
        responses={**QUARANTINE, **REFUSALS, **{status: ERRORS[status] for status in (422, 503, 504)}},
        openapi_extra={"parameters": [DAY]},
        summary="What was rejected on a day, by topic and reason, with samples; for admins, and noted like views",
    )
    async def rejected(request: Request) -> Response:
        viewer = await operator(request)
        recorder.check()
        found = await run_in_threadpool(quarantine.of, request.query_params.get("day"))
        recorder.note(viewer, "quarantine", found.persons, {"run": None, "head": None}, request)
        told = {name: value for name, value in vars(found).items() if name != "persons"}
        return json_response(json_bytes(told), UNSTORED)

    @app.get(
        "/collector",
        responses={**COLLECTOR, **REFUSALS, 503: ERRORS[503]},
        summary="Who may send to the collector, and what became of what they sent",
    )
    async def collector(request: Request) -> Response:
        await operator(request)
        return json_response(json_bytes(await run_in_threadpool(collectors.told)), UNSTORED)
