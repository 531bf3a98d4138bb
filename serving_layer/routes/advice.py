"""Routes of what advisers did about their students, told to who advises them, and of each adviser's thresholds."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving_layer.advising.advice import KINDS, Advices, advice
from serving_layer.advising.marks import Marks, advises, author
from serving_layer.advising.thresholds import DEFAULTS, Thresholds, choose, thresholds_of
from serving_layer.advising.thresholds import MOST as HIGHEST
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import BadQuery, Forbidden
from serving_layer.identity.gate import OURS, Gate
from serving_layer.identity.viewer import Viewer
from serving_layer.openapi import ADVICE, ADVISED, ADVISING, CHOOSING, ERRORS, REFUSALS, STUDENT, THRESHOLDS
from serving_layer.query.formats import json_bytes
from serving_layer.routes.bodies import object_of, text_of
from serving_layer.routes.views import json_response

UNSTORED = {"Cache-Control": "no-store"}
MOST, LONGEST, LONGEST_ID = 10_000, 2000, 128
COVERS = {"run": None, "head": None}
_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


def add(app: FastAPI, advices: Advices, marks: Marks, gate: Gate, recorder: Recorder) -> None:
    """`/advice` and `/advice/thresholds`, to read and to write."""

    @app.get(
        "/advice",
        responses={**ADVICE, **REFUSALS, 503: ERRORS[503]},
        openapi_extra={"parameters": [STUDENT]},
        summary="What was done about the students whom the asking one advises, the newest first; admins: about anyone",
    )
    async def told(request: Request) -> Response:
        viewer = await gate.viewer(request)
        asked = request.query_params.getlist("student")
        for student in asked:
            _check(viewer, student)
        if not asked and (viewer.scope is not None or viewer.role not in ("admin", "adviser")):
            raise Forbidden("advice", "'advice': is for advisers and admins")
        recorder.check()
        everyone = viewer.students if viewer.role == "adviser" else None
        found = await run_in_threadpool(advices.of, asked or everyone)
        shown = found[:MOST]
        recorder.note(viewer, "advice", {one.student for one in shown}, COVERS, request)
        answer = {"total": len(found), "advice": [asdict(one) for one in shown]}
        return json_response(json_bytes(answer), UNSTORED)

    @app.post(
        "/advice",
        responses={**ADVISED, **REFUSALS, 422: ERRORS[422], 503: ERRORS[503]},
        status_code=201,
        openapi_extra={"requestBody": ADVISING},
        summary="Write down what was done about a student; needs the header X-CSRF-Token with what /me says",
    )
    async def write(request: Request) -> Response:
        viewer = await _ours(gate, request)
        body = await object_of(request)
        student, kind, text = (
            text_of(body, *field) for field in (("student", LONGEST_ID), ("kind", 20), ("text", LONGEST))
        )
        name = text_of(body, "id", 64) or str(uuid.uuid4())
        _check(viewer, student)
        if kind not in KINDS:
            raise BadQuery("kind", f"must be one of {', '.join(KINDS)}; got {kind[:20]!r}")
        if kind in ("note", "outcome") and not text.strip():
            raise BadQuery("text", f"must say something for {kind}; got ''")
        if not _ID.fullmatch(name):
            raise BadQuery("id", f"must have 8 to 64 letters, digits and -; got {name[:64]!r}")
        recorder.check()
        written = await run_in_threadpool(advices.add, advice(student, author(viewer), kind, text, name))
        recorder.note(viewer, f"advice: {kind}", {student}, COVERS, request)
        await run_in_threadpool(marks.wrote)
        return Response(json_bytes(asdict(written)), 201, UNSTORED, "application/json")

    @app.get(
        "/advice/thresholds",
        responses={**THRESHOLDS, **REFUSALS, 503: ERRORS[503]},
        summary="From when on a student is somebody to see, as who asks has chosen",
    )
    async def thresholds(request: Request) -> Response:
        viewer = await gate.viewer(request)
        _check_own(viewer)
        return _chosen(await run_in_threadpool(thresholds_of, advices.store, author(viewer)))

    @app.put(
        "/advice/thresholds",
        responses={**THRESHOLDS, **REFUSALS, 422: ERRORS[422], 503: ERRORS[503]},
        openapi_extra={"requestBody": CHOOSING},
        summary="Choose some of the thresholds; needs the header X-CSRF-Token with what /me says",
    )
    async def chosen(request: Request) -> Response:
        viewer = await _ours(gate, request)
        _check_own(viewer)
        body = await object_of(request)
        for name, value in body.items():
            if name not in DEFAULTS:
                raise BadQuery(name[:LONGEST_ID], f"must be one of {', '.join(DEFAULTS)}")
            if type(value) is not int or not 0 <= value <= HIGHEST:
                raise BadQuery(name, f"must be a whole number from 0 to {HIGHEST}")
        recorder.check()
        kept = await run_in_threadpool(choose, advices.store, author(viewer), body)
        recorder.note(viewer, "advice: thresholds", {viewer.person or None}, COVERS, request)
        await run_in_threadpool(marks.wrote)
        return _chosen(kept)


def _chosen(kept: Thresholds) -> Response:
    answer = {"thresholds": kept.thresholds, "at": kept.at or None}
    return json_response(json_bytes(answer), UNSTORED)


async def _ours(gate: Gate, request: Request) -> Viewer:
    """Who writes, from a page of ours or from none. Forbidden from another's."""
    viewer = await gate.viewer(request)
    if request.headers.get("sec-fetch-site") not in OURS:
        raise Forbidden("origin", "'origin': must be a page of this service")
    return viewer


def _check_own(viewer: Viewer) -> None:
    if not advises(viewer):
        raise Forbidden("thresholds", "'thresholds': are for who looks at more people than themselves")


def _check(viewer: Viewer, student: str) -> None:
    """Forbidden where the viewer doesn't advise the student."""
    theirs = viewer.role == "admin" or (viewer.role == "adviser" and student in viewer.students)
    if viewer.scope is not None or not theirs or not student:
        raise Forbidden("student", "'student': must be one whom who asks advises")
