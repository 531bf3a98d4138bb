"""Routes of the real-time windows: which there are, and their rows."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from catalogue.views.disclosure import disclosure
from catalogue.views.windows import WINDOW_HOURS, WINDOWS
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import BadQuery, Unknown
from serving_layer.identity.gate import Gate
from serving_layer.identity.sight import sight_of
from serving_layer.openapi import ANSWER, ERRORS, VIEW_LIST, WINDOW_PARAMETERS
from serving_layer.query.deadlines import Deadlines
from serving_layer.query.formats import MEDIA_TYPES, json_bytes, table_bytes
from serving_layer.query.parameters import parse, readings
from serving_layer.query.values import reading_of
from serving_layer.routes.views import described, json_response
from serving_layer.state.realtime_state import RealtimeState

WINDOW_ONLY = ("minutes", "until")
RESERVED = (*WINDOW_ONLY, "format", "spreadsheet")
DEFAULT_MINUTES = 60
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def add(app: FastAPI, realtime: RealtimeState, deadlines: Deadlines, gate: Gate, recorder: Recorder) -> None:
    """`/realtime` and `/realtime/{name}`."""
    listed = [
        {
            "name": window.name,
            "meaning": window.meaning,
            "key": window.key,
            "columns": described(window, realtime.columns[window.name]),
        }
        for window in WINDOWS.values()
    ]

    @app.get(
        "/realtime",
        responses={**VIEW_LIST, 401: ERRORS[401]},
        summary="Every real-time window, its key, and its columns with types and meaning",
    )
    async def windows(request: Request) -> Response:
        await gate.viewer(request)
        return json_response(json_bytes({"windows": listed}))

    @app.get(
        "/realtime/{name}",
        responses={200: ANSWER[200], **ERRORS},
        openapi_extra={"parameters": WINDOW_PARAMETERS},
        summary=f"Rows of a real-time window, by the minute, of the last {WINDOW_HOURS} hours",
    )
    async def rows(name: str, request: Request) -> Response:
        viewer = await gate.viewer(request)
        if name not in WINDOWS:
            raise Unknown(name, f"window '{name}' is not known; GET /realtime lists them")
        rule = disclosure(WINDOWS[name])
        sight = sight_of(viewer, name, rule, gate.key)
        person = rule.person if recorder.on and not sight.pseudonym else ""
        if person:
            recorder.check()
        spaced, literal = readings(request.scope["query_string"])
        kinds = realtime.columns[name]
        query = parse(spaced, kinds, WINDOWS[name].key, RESERVED, literal)
        chosen, second = dict(spaced), dict(literal)
        minutes, until = _minutes(chosen.get("minutes")), _until(chosen.get("until"), second.get("until", ""))
        condition, values = query.where()
        table, covers = await run_in_threadpool(
            realtime.read, name, until, minutes, condition, values, sight, deadlines.over
        )
        if person:
            shown = table[person].unique().to_pylist()
            recorder.note(viewer, name, shown, {"run": None, "head": covers["head"]}, request)
        if query.format != "json":
            headers = {"X-Total": str(len(table)), "X-Next": "", "X-As-Of": json_bytes(covers).decode()}
            data = table_bytes(table, query.format, query.spreadsheet)
            return Response(data, 200, headers, MEDIA_TYPES[query.format])
        found = table.to_pylist()
        answer = {
            "view": name,
            "columns": list(kinds),
            "rows": found,
            "total": len(found),
            "next": None,
            "as_of": covers,
        }
        return json_response(json_bytes(answer))


def _minutes(text: str | None) -> int:
    if text is None:
        return DEFAULT_MINUTES
    most = WINDOW_HOURS * 60
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 1 <= int(text) <= most:
        raise BadQuery("minutes", f"must be a whole number from 1 to {most}; got '{text}'")
    return int(text)


def _until(text: str | None, second: str) -> datetime:
    if text is None:
        return datetime.now(UTC)
    moment: datetime = reading_of("until", text, second, "TIMESTAMP WITH TIME ZONE")
    if not EARLIEST <= moment < LATEST:
        raise BadQuery(
            "until", f"must be a time from {EARLIEST:%Y-%m-%d} on and before {LATEST:%Y-%m-%d}; got '{text}'"
        )
    return moment
