"""Routes about what was shown: a person's own record, and the person behind a pseudonym."""

from __future__ import annotations

import threading

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving_layer.disclosure.chains import shown_of
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import BadQuery, Forbidden, TooMany, Unknown
from serving_layer.identity.gate import Gate
from serving_layer.openapi import DISCLOSURES, ERRORS, PERSON, PSEUDONYM, REFUSALS
from serving_layer.query.formats import json_bytes
from serving_layer.query.reversal import person_of
from serving_layer.routes.bodies import object_of, text_of
from serving_layer.routes.views import json_response
from serving_layer.state.serving_state import ServingState

MOST_RECORDS = 10_000
UNSTORED = {"Cache-Control": "no-store"}
# Each reads the whole log.
MOST_AT_ONCE, RETRY_SECONDS = 2, 5
LONGEST = 100


def add(app: FastAPI, state: ServingState, gate: Gate, recorder: Recorder) -> None:
    """`/disclosures` and `/pseudonyms`."""
    places = threading.BoundedSemaphore(MOST_AT_ONCE)

    @app.get(
        "/disclosures",
        responses={**DISCLOSURES, **REFUSALS, 503: ERRORS[503]},
        summary="Who was shown rows of who is asking; an admin may name another person",
        openapi_extra={"parameters": [{"name": "person", "in": "query", "schema": {"type": "string"}}]},
    )
    async def disclosures(request: Request) -> Response:
        viewer = await gate.viewer(request)
        person = request.query_params.get("person", viewer.person)
        theirs = person == viewer.person or viewer.role == "admin"
        if not person or not theirs or viewer.scope is not None:
            raise Forbidden("person", "'person': must be who is asking; others are an admin's to ask for")
        if person != viewer.person:
            recorder.check()
        if not places.acquire(blocking=False):
            raise TooMany(RETRY_SECONDS, f"readings of the log must be at most {MOST_AT_ONCE} at once; come again")
        try:
            found = await run_in_threadpool(shown_of, recorder.store, person)
        finally:
            places.release()
        if person != viewer.person and found:
            recorder.note(viewer, "disclosures", (person,), {"run": None, "head": None}, request)
        answer = {"person": person, "total": len(found), "records": found[::-1][:MOST_RECORDS]}
        return json_response(json_bytes(answer), UNSTORED)

    @app.post(
        "/pseudonyms",
        responses={**PERSON, **REFUSALS, **{status: ERRORS[status] for status in (404, 422, 503)}},
        openapi_extra={"requestBody": PSEUDONYM},
        summary="The person behind an analyst's pseudonym, for admins; it is noted down who asked",
    )
    async def reverse(request: Request) -> Response:
        viewer = await gate.viewer(request)
        if viewer.role != "admin" or viewer.scope is not None:
            raise Forbidden("pseudonym", "'pseudonym': who it stands for is told to admins alone")
        body = await object_of(request)
        if "pseudonym" not in body:
            raise BadQuery("pseudonym", "must be in the body")
        pseudonym = text_of(body, "pseudonym", LONGEST)
        recorder.check()
        with state.reading() as generation:
            person = await run_in_threadpool(person_of, generation, pseudonym, gate.key)
            if person is None:
                raise Unknown("pseudonym", "'pseudonym': must be that of a person in the views")
            recorder.note(viewer, "pseudonyms", (person,), {"run": generation.run, "head": None}, request)
        return json_response(json_bytes({"pseudonym": pseudonym, "person": person}), UNSTORED)
