"""The query API: routes, errors and their documentation."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from catalogue.at_rest.deltas import Vector
from catalogue.events import TOPICS
from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.view import View
from catalogue.views.windows import WINDOW_HOURS, WINDOWS
from runtime.settings import Settings
from runtime.storage.store import StorageError
from serving_layer.answers import Answer, Answers
from serving_layer.api_documents import ANSWER, ERRORS, FRESHNESS, HEALTH, PARAMETERS, VIEW_LIST, WINDOW_PARAMETERS
from serving_layer.formats import MEDIA_TYPES, json_bytes, table_bytes
from serving_layer.metrics import Metrics
from serving_layer.middleware import EveryRequest
from serving_layer.older_runs import OlderRuns, UnknownRun
from serving_layer.preparation import Preparation
from serving_layer.query import BadQuery, Query, parse, value_of
from serving_layer.state import ServingState

WINDOW_ONLY = ("minutes", "until")
DEFAULT_MINUTES = 60
SMALLEST_GZIP = 2000


def create_app(settings: Settings) -> FastAPI:
    """The application over the bucket of `settings`; its state follows the bucket while it runs."""
    state = ServingState(settings)
    answers, older, preparation = Answers(state), OlderRuns(state.batch), Preparation(state)
    metrics = Metrics(state, answers)
    columns = view_columns()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.start()
        preparation.start()
        yield
        answers.drop_old(everything=True)
        await run_in_threadpool(preparation.stop)
        await run_in_threadpool(state.stop)

    app = FastAPIOffline(  # its pages come without files from elsewhere
        title="Learning analytics",
        description="37 views of learning events: the batch layer's answer and every event since, in one.",
        version="1",
        lifespan=lifespan,
    )
    app.state.serving, app.state.exposition = state, metrics.exposition
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_GZIP, compresslevel=5)
    app.add_middleware(EveryRequest, metrics=metrics)

    def problem(status: int, name: str, detail: str) -> Response:
        return JSONResponse({"name": name, "detail": detail}, status)

    @app.get("/views", responses=VIEW_LIST, summary="Every view, its key, and its columns with types and meaning")
    async def views() -> Response:
        listed = [
            {
                "name": v.name,
                "topic": v.topic,
                "key": v.key,
                "columns": _described(v, columns[v.name]),
            }
            for v in VIEWS.values()
        ]
        return _json(json_bytes({"views": listed}))

    @app.get(
        "/views/{view}",
        responses={**ANSWER, **ERRORS},
        openapi_extra={"parameters": PARAMETERS},
        summary="Rows of a view; every column is a filter",
    )
    async def rows(request: Request) -> Response:  # reads `view` itself: declared, it would cost a lookup a tenth
        view = request.path_params["view"]
        if view not in VIEWS:
            return problem(404, view, f"view '{view}' is not known; GET /views lists them")
        declared = VIEWS[view]
        try:
            query = parse(request.query_params.multi_items(), columns[view], declared.key)
        except BadQuery as error:
            return problem(422, error.name, str(error))
        try:
            if query.as_of_run:
                answer = await run_in_threadpool(older.page, query.as_of_run, view, query)
                return _answered(view, query, answer)
            with state.reading() as generation:
                tag = _tag(generation.run, generation.topics[declared.topic].head, request)
                if _matches(request.headers.get("if-none-match"), tag):
                    return Response(status_code=304, headers={"ETag": tag})
                quick = answers.quick(generation, declared.topic, view, query)
                if quick is not None:
                    return _answered(view, query, quick, tag)
                answer = await run_in_threadpool(answers.page, generation, declared.topic, view, query)
            return _answered(view, query, answer, tag)
        except UnknownRun as error:
            return problem(404, "as_of_run", str(error))
        except (RuntimeError, StorageError, FileNotFoundError) as error:
            return problem(503, "state", str(error))
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            return problem(503, "state", f"memory and scratch space must be enough; {str(error).splitlines()[0]}")

    def _answered(view: str, query: Query, answer: Answer, tag: str | None = None) -> Response:
        headers = {"ETag": tag} if tag else {}
        names = list(query.fields or query.columns)
        if query.format == "json":
            found: Any = answer.rows
            if query.fields:
                found = [{name: row[name] for name in names} for row in found]
            body = b"".join(
                (
                    b'{"view":"', view.encode(), b'","columns":', json_bytes(names), b',"rows":', json_bytes(found),
                    b',"total":', str(answer.total).encode(), b',"next":', json_bytes(answer.next),
                    b',"as_of":', answer.as_of, b"}",
                )
            )  # fmt: skip
            return _json(body, headers)
        assert not isinstance(answer.rows, list)
        headers |= {"X-Total": str(answer.total), "X-Next": answer.next or "", "X-As-Of": answer.as_of.decode()}
        return Response(table_bytes(answer.rows.select(names), query.format), 200, headers, MEDIA_TYPES[query.format])

    @app.get(
        "/realtime",
        responses=VIEW_LIST,
        summary="Every real-time window, its key, and its columns with types and meaning",
    )
    async def windows() -> Response:
        listed = [
            {
                "name": w.name,
                "meaning": w.meaning,
                "key": w.key,
                "columns": _described(w, state.realtime.columns[w.name]),
            }
            for w in WINDOWS.values()
        ]
        return _json(json_bytes({"windows": listed}))

    @app.get(
        "/realtime/{name}",
        responses={200: ANSWER[200], **ERRORS},
        openapi_extra={"parameters": WINDOW_PARAMETERS},
        summary=f"Rows of a real-time window, by the minute, of the last {WINDOW_HOURS} hours",
    )
    def window(name: str, request: Request) -> Response:
        if name not in WINDOWS:
            return problem(404, name, f"window '{name}' is not known; GET /realtime lists them")
        parameters = request.query_params.multi_items()
        chosen = {k: v for k, v in parameters if k in WINDOW_ONLY}
        kinds = state.realtime.columns[name]
        try:
            query = parse(parameters, kinds, WINDOWS[name].key, (*WINDOW_ONLY, "format"))
            minutes, until = _minutes(chosen.get("minutes")), _until(chosen.get("until"))
        except BadQuery as error:
            return problem(422, error.name, str(error))
        condition, values = query.where()
        table, covers = state.realtime.read(name, until, minutes, condition, values)
        if query.format != "json":
            headers = {"X-Total": str(len(table)), "X-Next": "", "X-As-Of": json_bytes(covers).decode()}
            return Response(table_bytes(table, query.format), 200, headers, MEDIA_TYPES[query.format])
        found = table.to_pylist()
        answer = {
            "view": name,
            "columns": list(kinds),
            "rows": found,
            "total": len(found),
            "next": None,
            "as_of": covers,
        }
        return _json(json_bytes(answer))

    @app.get("/freshness", responses={**FRESHNESS, 503: ERRORS[503]}, summary="What the answers cover, and the ledger")
    async def freshness() -> Response:
        try:
            with state.reading() as generation:
                lags = {t: answers.freshness(generation, t) for t in TOPICS}
                known = [lag for _, lag in lags.values() if lag is not None]
                topics = generation.topics
                return _json(
                    json_bytes(
                        {
                            "run": generation.run,
                            "published_at": generation.current.published_at or None,
                            "cut": {t: s.cut for t, s in topics.items()},
                            "head": {t: dict(s.head) for t, s in topics.items()},
                            "watermark": max((w for w, _ in lags.values() if w), default=None),
                            "lag_seconds": max(known) if known else None,
                            "ledger": {t: {p: dict(e) for p, e in s.ledger.items()} for t, s in topics.items()},
                            "speed_layer": state.alive and state.alive.at,
                        }
                    )
                )
        except RuntimeError as error:
            return problem(503, "state", str(error))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        asked = f"{request.method} {request.url.path}"
        answer = problem(error.status_code, request.url.path, f"'{asked}': {error.detail}; /docs lists what there is")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Response:
        return problem(500, "server", "an error of the server; its log says which")

    @app.get("/health/live", responses=HEALTH, summary="The process answers")
    async def live() -> Response:
        return JSONResponse({"status": "live"})

    @app.get("/health/ready", responses={**HEALTH, 503: ERRORS[503]}, summary="The newest objects are served")
    async def ready() -> Response:
        if state.problem or not state.is_alive():
            serving = "the last good state is served" if state.generation else "nothing is served yet"
            return problem(503, "state", f"{state.problem or 'stopped'}; {serving}")
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", summary="Prometheus metrics", responses={200: {"content": {"text/plain": {}}}})
    def prometheus() -> Response:
        answers.drop_old()
        return Response(generate_latest(metrics.exposition.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, 200, headers, "application/json")


def _tag(run: str | None, head: Vector, request: Request) -> str:
    """The weak tag of an answer, the same from every replica: what it covers, and what was asked."""
    scope = request.scope
    parts = (repr(sorted(head.items())).encode(), scope["path"].encode(), scope["query_string"])
    return f'W/"{run}-{zlib.crc32(parts[0]):08x}-{zlib.crc32(b"?".join(parts[1:])):08x}"'


def _matches(header: str | None, tag: str) -> bool:
    """Whether If-None-Match names the tag, by weak comparison."""
    if header is None:
        return False
    return header.strip() == "*" or any(t.strip().removeprefix("W/") == tag[2:] for t in header.split(","))


def _described(view: View, kinds: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind, "meaning": view.meanings[name]} for name, kind in kinds.items()]


def _minutes(text: str | None) -> int:
    if text is None:
        return DEFAULT_MINUTES
    most = WINDOW_HOURS * 60
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 1 <= int(text) <= most:
        raise BadQuery("minutes", f"must be a whole number from 1 to {most}; got '{text}'")
    return int(text)


def _until(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    moment = value_of("until", text, "TIMESTAMP WITH TIME ZONE")
    if not timedelta(0) <= moment - datetime(2000, 1, 1, tzinfo=UTC) < timedelta(days=100_000):
        raise BadQuery("until", f"must be a time from 2000 on; got '{text}'")
    return moment
