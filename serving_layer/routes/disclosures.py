"""Routes about what was shown: a person's own record, and the person behind a pseudonym."""

from __future__ import annotations

from fastapi import Body, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving_layer.disclosure.chains import shown_of
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import Forbidden, Unknown
from serving_layer.identity.gate import Gate
from serving_layer.openapi import DISCLOSURES, ERRORS, PERSON, REFUSALS
from serving_layer.query.formats import json_bytes
from serving_layer.query.reversal import person_of
from serving_layer.routes.views import json_response
from serving_layer.state.serving_state import ServingState

MOST_RECORDS = 10_000
UNSTORED = {"Cache-Control": "no-store"}


def add(app: FastAPI, state: ServingState, gate: Gate, recorder: Recorder) -> None:
    """`/disclosures` and `/pseudonyms`."""

    @app.get(
        "/disclosures",
        responses={**DISCLOSURES, **REFUSALS, 503: ERRORS[503]},
        summary="Who was shown rows of who is asking; an admin may name another person",
        openapi_extra={"parameters": [{"name": "person", "in": "query", "schema": {"type": "string"}}]},
    )
    async def disclosures(request: Request) -> Response:
        viewer = await gate.viewer(request)
        person = request.query_params.get("person", viewer.person)
        if not person or (person != viewer.person and viewer.role != "admin"):
            raise Forbidden("person", "'person': must be who is asking; others are an admin's to ask for")
        found = await run_in_threadpool(shown_of, recorder.store, person)
        answer = {"person": person, "total": len(found), "records": found[::-1][:MOST_RECORDS]}
        return json_response(json_bytes(answer), UNSTORED)

    @app.post(
        "/pseudonyms",
        responses={**PERSON, **REFUSALS, 404: ERRORS[404], 503: ERRORS[503]},
        summary="The person behind an analyst's pseudonym, for admins; it is noted down who asked",
    )
    async def reverse(request: Request, pseudonym: str = Body(embed=True, max_length=100)) -> Response:
        viewer = await gate.viewer(request)
        if viewer.role != "admin" or viewer.scope is not None:
            raise Forbidden("pseudonym", "'pseudonym': who it stands for is told to admins alone")
        recorder.check()
        with state.reading() as generation:
            person = await run_in_threadpool(person_of, generation, pseudonym, gate.key)
            if person is None:
                raise Unknown("pseudonym", "'pseudonym': must be that of a person in the views")
            recorder.note(viewer, "pseudonyms", (person,), {"run": generation.run, "head": None}, request)
        return json_response(json_bytes({"pseudonym": pseudonym, "person": person}), UNSTORED)
