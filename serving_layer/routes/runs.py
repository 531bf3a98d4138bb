"""The route that lists the batch runs that are kept, each of which can be asked for by `as_of_run`."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from catalogue.at_rest.runs import kept_runs
from serving_layer.identity.gate import Gate
from serving_layer.openapi import ERRORS, RUNS
from serving_layer.query.formats import json_bytes
from serving_layer.routes.views import json_response
from serving_layer.state.serving_state import ServingState


def add(app: FastAPI, state: ServingState, gate: Gate) -> None:
    """`/runs`."""

    @app.get("/runs", responses={**RUNS, 401: ERRORS[401], 503: ERRORS[503]}, summary="The batch runs that are kept")
    async def runs(request: Request) -> Response:
        await gate.viewer(request)
        kept = await run_in_threadpool(kept_runs, state.batch)
        generation = state.generation
        serves = generation.run if generation else None
        listed = [
            {
                "run": manifest.run,
                "published_at": manifest.published_at,
                "serves": manifest.run == serves,
                "events": sum(
                    entry.get("counted", 0) for topic in manifest.ledger.values() for entry in topic.values()
                ),
                "cut": manifest.cut,
            }
            for manifest in reversed(kept)
        ]
        return json_response(json_bytes({"runs": listed}))
