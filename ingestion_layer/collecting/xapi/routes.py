"""`/xapi`: every resource of a learning record store, in both syntaxes, for scripts of pages too."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.intake import Intakes
from ingestion_layer.collecting.journal import Journal
from ingestion_layer.collecting.refusals import Refused, problem
from ingestion_layer.collecting.xapi import search
from ingestion_layer.collecting.xapi.actors import person
from ingestion_layer.collecting.xapi.documents import KINDS, Documents, agent_of
from ingestion_layer.collecting.xapi.exchange import (
    Exchange,
    alternate,
    parameters_of,
    parsed,
    standard_headers,
    unfolded,
    version_of,
)
from ingestion_layer.collecting.xapi.reception import Reception
from ingestion_layer.collecting.xapi.values import an_iri, wrong

STANDARD = "xapi"
VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]
ALLOWED = {
    "about": ("GET", "HEAD"),
    "statements": ("GET", "HEAD", "PUT", "POST"),
    "activities": ("GET", "HEAD"),
    "agents": ("GET", "HEAD"),
    **dict.fromkeys(KINDS, ("GET", "HEAD", "PUT", "POST", "DELETE")),
}
_TOLD = "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through, Retry-After"


def add(app: FastAPI, desk: Desk, intakes: Intakes) -> None:
    """Add the route."""
    store = _Store(desk, intakes)

    @app.api_route("/xapi/{resource:path}", methods=METHODS, summary="A learning record store (xAPI 1.0.3 and 2.0.0).")
    async def xapi(request: Request, resource: str) -> Response:
        answer = await store.answered(request, resource.strip("/"))
        cors(answer, request, desk.gate.origins(STANDARD), METHODS)
        return answer


def cors(answer: Response, request: Request, allowed: frozenset[str], methods: list[str]) -> None:
    """Let scripts of the pages that a source declares read the answer."""
    origin = request.headers.get("origin")
    if origin is None or not allowed & {origin, "*"}:
        return
    answer.headers["Access-Control-Allow-Origin"] = origin
    answer.headers["Access-Control-Expose-Headers"] = _TOLD
    answer.headers["Vary"] = "Origin"
    if request.method == "OPTIONS":
        answer.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        asked = request.headers.get("access-control-request-headers", "authorization, content-type")
        answer.headers["Access-Control-Allow-Headers"] = asked
        answer.headers["Access-Control-Max-Age"] = "3600"


class _Store:
    def __init__(self, desk: Desk, intakes: Intakes):
        self._desk, self._journal = desk, intakes.journal
        self._reception = Reception(desk, intakes)
        self._documents = Documents(intakes.journal, intakes.erasing)

    async def answered(self, request: Request, resource: str) -> Response:
        """The answer to a request, with the headers that every one has."""
        version, answer = "", Response()
        try:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=standard_headers(version))
            if resource not in ALLOWED:
                raise Refused(404, "resource", f"must be one of {', '.join(ALLOWED)}; got {resource[:80]!r}")
            if resource == "about" and request.method in ("GET", "HEAD"):
                answer = JSONResponse({"version": list(VERSIONS)})
            else:
                asked = await self._asked(request, resource)
                version = asked.version
                answer = await self._routed(asked)
        except Refused as refusal:
            answer = problem(refusal.status, refusal.name, f"{refusal.name}: {refusal}", refusal.headers)
            if resource == "statements":
                answer.headers["X-Experience-API-Consistent-Through"] = self._reception.through("")
        answer.headers.update(standard_headers(version))
        return answer

    async def _asked(self, request: Request, resource: str) -> Exchange:
        method, headers = request.method, {name.lower(): text for name, text in request.headers.items()}
        parameters = parameters_of(request)
        if alternate(request):
            # Who sends may stand in the form, so it is read before that is known.
            async with self._desk.body(request, None) as body:
                method, parameters, headers, content = unfolded(request, body)
            source = self._desk.gate.sender(headers.get("authorization", ""), STANDARD)
            version = version_of(headers.get("x-experience-api-version"))
            if version.startswith("2"):
                wrong("method", "that of the request in xAPI 2.0")
            self._allowed(method, resource)
            return Exchange(method, resource, parameters, headers, content, source, version)
        source = self._desk.gate.source(request, STANDARD)
        version = version_of(headers.get("x-experience-api-version"))
        self._allowed(method, resource)
        async with self._desk.body(request, source) as body:
            return Exchange(method, resource, parameters, headers, body, source, version)

    @staticmethod
    def _allowed(method: str, resource: str) -> None:
        if method not in ALLOWED[resource]:
            allowed = ", ".join(ALLOWED[resource])
            raise Refused(405, "method", f"must be one of {allowed} for {resource}; got {method}", {"Allow": allowed})

    async def _routed(self, asked: Exchange) -> Response:
        if asked.resource == "statements":
            if asked.method == "PUT":
                answer = await self._reception.put(asked)
            elif asked.method == "POST":
                answer = await self._reception.post(asked)
            else:
                # Told before it is looked: what comes meanwhile may be missing.
                through = self._reception.through(asked.source.name)
                answer = search.get(self._journal, asked)
                answer.headers["X-Experience-API-Consistent-Through"] = through
                return answer
            answer.headers["X-Experience-API-Consistent-Through"] = self._reception.through(asked.source.name)
            return answer
        if asked.resource == "agents":
            asked.only("agent")
            return asked.answer(200, person(agent_of(asked)[0]))
        if asked.resource == "activities":
            asked.only("activityId")
            return asked.answer(200, activity(self._journal, asked))
        return await self._documents.serve(asked, KINDS[asked.resource])


def activity(journal: Journal, asked: Exchange) -> dict[str, object]:
    """All that is known of an activity: what the statements about it say, the newer ones first, in every language."""
    name = an_iri(asked.needs("activityId"), "activityId")
    found: dict[str, object] = {"objectType": "Activity", "id": name}
    rows = journal.rows(
        "SELECT statement FROM statements WHERE place IN "
        "(SELECT place FROM mentions WHERE source = ? AND kind = 'activity' AND name = ?) "
        "ORDER BY place DESC LIMIT 100",
        (asked.source.name, name),
    )
    definition: dict[str, Any] = {}
    for (statement,) in rows:
        for field, told in parsed(statement, "statement")["object"].get("definition", {}).items():
            known = definition.setdefault(field, told)
            if isinstance(known, dict) and isinstance(told, dict):
                definition[field] = told | known
    return {**found, "definition": definition} if definition else found
