"""One request to an xAPI resource, in either syntax, and its answer with the headers that every answer has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
from fastapi import Request, Response

from ingestion_layer.collecting.json_text import read_json
from ingestion_layer.collecting.sources import Source
from ingestion_layer.collecting.xapi.values import wrong

NEWEST = {"1": "1.0.3", "2": "2.0.0"}
_ASKED = re.compile(r"(1)\.0(?:\.[0-9]+)?|(2)\.0\.[0-9]+")
_FORM = "application/x-www-form-urlencoded"
# What the alternate syntax may carry as form fields instead of headers.
_HEADERS = (
    "authorization",
    "x-experience-api-version",
    "content-type",
    "content-length",
    "if-match",
    "if-none-match",
    "accept",
    "accept-language",
    "x-experience-api-hash",
    "x-experience-api-consistent-through",
)


@dataclass
class Exchange:
    """A request: what is asked of which resource, with which parameters and headers (names in small letters)."""

    method: str
    resource: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes
    source: Source
    version: str

    @property
    def media_type(self) -> str:
        """The type of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def only(self, *names: str) -> None:
        """400 for a parameter that the resource doesn't have."""
        for name in self.parameters:
            if name not in names:
                wrong(name, f"one of the parameters {', '.join(names)}", name)

    def needs(self, name: str) -> str:
        """A parameter that must be there."""
        if name not in self.parameters:
            wrong(name, "there as a parameter")
        return self.parameters[name]

    def json(self) -> Any:
        """The body as JSON."""
        return parsed(self.body, "body")

    def answer(self, status: int, value: Any = None, **headers: str) -> Response:
        """An answer, of JSON where there is a value."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if value is None:
            return Response(status_code=status, headers=named)
        return Response(orjson.dumps(value), status, named, "application/json")


def parsed(text: bytes | str, name: str) -> Any:
    """JSON text as a value; 400 for what is none, or has a name twice in an object that matters."""
    try:
        return read_json(text)
    except ValueError:
        wrong(name, "JSON")


def version_of(asked: str | None) -> str:
    """The version in which a request is answered; 400 for one that there isn't."""
    found = _ASKED.fullmatch((asked or "").strip())
    if not found:
        wrong("X-Experience-API-Version", "from 1.0.0 to 1.0.3, or 2.0.0", asked)
    return NEWEST[found[1] or found[2]]


def standard_headers(version: str) -> dict[str, str]:
    """What every answer has."""
    return {"X-Experience-API-Version": version or NEWEST["1"]}


def alternate(request: Request) -> bool:
    """Whether a request has the alternate syntax: a POST that names its method and carries all else as a form."""
    return request.method == "POST" and "method" in request.query_params


def unfolded(request: Request, body: bytes) -> tuple[str, dict[str, str], dict[str, str], bytes]:
    """Method, parameters, headers and body of a request in the alternate syntax. 400 for what isn't."""
    if len(request.query_params) > 1:
        wrong("parameters", "in the form where the method is in the address")
    method = request.query_params["method"].upper()
    if method not in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        wrong("method", "GET, PUT, POST, DELETE or HEAD", method)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != _FORM:
        wrong("Content-Type", _FORM, kind)
    try:
        text = body.decode("ascii")
        fields = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(body), errors="strict"))
    except (ValueError, UnicodeDecodeError):
        wrong("body", "a form")
    headers = {name.lower(): text for name, text in request.headers.items() if name.lower() not in ("content-type",)}
    parameters: dict[str, str] = {}
    content = b""
    for name, text in fields.items():
        if name == "content":
            content = text.encode()
        elif name.lower() in _HEADERS:
            headers[name.lower()] = text
        else:
            parameters[name] = text
    headers.setdefault("content-type", "application/json")
    return method, parameters, headers, content


def parameters_of(request: Request) -> dict[str, str]:
    """The parameters in the address; 400 for one that stands twice or is no UTF-8."""
    found: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name in found:
            wrong(name, "there once")
        found[name] = text
    try:
        unquote_to_bytes(request.url.query).decode()
    except UnicodeDecodeError:
        wrong("parameters", "UTF-8")
    return found
