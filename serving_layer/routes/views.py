"""Routes of the views: which there are, and their rows."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from catalogue.at_rest.deltas import Vector
from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.disclosure import disclosure
from catalogue.views.view import View
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import Forbidden, Unknown
from serving_layer.identity.gate import Gate
from serving_layer.identity.sight import sight_of
from serving_layer.openapi import ANSWER, ERRORS, PARAMETERS, VIEW_LIST
from serving_layer.query.answers import Answer, Answers
from serving_layer.query.formats import MEDIA_TYPES, json_bytes, table_bytes
from serving_layer.query.older_runs import OlderRuns
from serving_layer.query.parameters import parse, readings
from serving_layer.query.query import Query
from serving_layer.state.serving_state import ServingState


class DirectRoute(APIRoute):
    """A route whose endpoint takes the request and gives the response: FastAPI has nothing to resolve and to check,
    which would cost a lookup as much as its rows do.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint


def add(app: FastAPI, state: ServingState, answers: Answers, gate: Gate, recorder: Recorder) -> None:
    """`/views` and `/views/{view}`."""
    rules = {view.name: disclosure(view) for view in VIEWS.values()}
    older, columns = OlderRuns(state.batch, answers.deadlines), view_columns()
    state.succession.forgetting.append(older.clear)
    listed = json_bytes({"views": [_listed(view, columns[view.name]) for view in VIEWS.values()]})

    @app.get(
        "/views",
        responses={**VIEW_LIST, 401: ERRORS[401]},
        summary="Every view, its key, and its columns with types and meaning",
    )
    async def views(request: Request) -> Response:
        await gate.viewer(request)
        return json_response(listed)

    async def rows(request: Request) -> Response:
        viewer = await gate.viewer(request)
        view = request.path_params["view"]
        if view not in VIEWS:
            raise Unknown(view, f"view '{view}' is not known; GET /views lists them")
        declared, sight = VIEWS[view], sight_of(viewer, view, rules[view], gate.key)
        spaced, literal = readings(request.scope["query_string"])
        query = parse(spaced, columns[view], declared.key, literal=literal)
        if sight.people and (query.as_of_run or query.layer != "merged"):
            # The difference of two states could be one person.
            raise Forbidden(view, f"'{view}' is of groups: who may not see their members sees the newest state alone")
        person = rules[view].person if recorder.on and not sight.pseudonym else ""
        if person:
            recorder.check()
        if query.as_of_run:
            answer = await run_in_threadpool(older.page, query.as_of_run, view, query, sight)
            if person:
                recorder.note(viewer, view, answer.persons(person), {"run": query.as_of_run, "head": None}, request)
            return _answered(view, query, answer)
        with state.reading() as generation:
            tag = _tag(generation.run, generation.topics[declared.topic].head, request, sight.mark)
            if _matches(request.headers.get("if-none-match"), tag):
                return Response(status_code=304, headers={"ETag": tag})
            found = answers.quick(generation, declared.topic, view, query, sight)
            if found is None:
                found = await run_in_threadpool(answers.page, generation, declared.topic, view, query, sight)
            if person:
                covers = {"run": generation.run, "head": generation.topics[declared.topic].head}
                recorder.note(viewer, view, found.persons(person), covers, request)
        return _answered(view, query, found, tag)

    app.router.add_api_route(
        "/views/{view}",
        rows,
        methods=["GET"],
        responses={**ANSWER, **ERRORS},
        openapi_extra={"parameters": PARAMETERS},
        summary="Rows of a view; every column is a filter",
        route_class_override=DirectRoute,
    )
    app.router.routes.insert(0, app.router.routes.pop())  # the first to be compared is the most frequent


def json_response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """An answer whose body is JSON already."""
    return Response(body, 200, headers, "application/json")


def described(view: View, kinds: dict[str, str]) -> list[dict[str, str]]:
    """Name, type and meaning of each column."""
    return [{"name": name, "type": kind, "meaning": view.meanings[name]} for name, kind in kinds.items()]


def _listed(view: View, kinds: dict[str, str]) -> dict[str, Any]:
    return {"name": view.name, "topic": view.topic, "key": view.key, "columns": described(view, kinds)}


def _answered(view: str, query: Query, answer: Answer, tag: str | None = None) -> Response:
    headers = {"ETag": tag} if tag else {}
    names = list(query.fields or query.columns)
    if isinstance(answer.rows, list):
        found = answer.rows
        if query.fields:
            found = [{name: row[name] for name in names} for row in found]
        body = b"".join(
            (
                b'{"view":"', view.encode(), b'","columns":', json_bytes(names), b',"rows":', json_bytes(found),
                b',"total":', str(answer.total).encode(), b',"next":', json_bytes(answer.next),
                b',"as_of":', answer.as_of, b"}",
            )
        )  # fmt: skip
        return json_response(body, headers)
    headers |= {"X-Total": str(answer.total), "X-Next": answer.next or "", "X-As-Of": answer.as_of.decode()}
    data = table_bytes(answer.rows.select(names), query.format, query.spreadsheet)
    return Response(data, 200, headers, MEDIA_TYPES[query.format])


def _tag(run: str | None, head: Vector, request: Request, mark: str) -> str:
    """The weak tag of an answer, the same from every replica: what it covers, what was asked, and what is seen."""
    scope = request.scope
    parts = (repr(sorted(head.items())).encode(), scope["path"].encode(), scope["query_string"], mark.encode())
    return f'W/"{run}-{zlib.crc32(parts[0]):08x}-{zlib.crc32(b"?".join(parts[1:])):08x}"'


def _matches(header: str | None, tag: str) -> bool:
    """Whether If-None-Match names the tag, by weak comparison."""
    if header is None:
        return False
    return header.strip() == "*" or any(t.strip().removeprefix("W/") == tag[2:] for t in header.split(","))
