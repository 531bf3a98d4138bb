"""Errors as answers: `{"name", "detail"}` with the status that fits."""

from __future__ import annotations

import duckdb
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from runtime.storage.store import StorageError
from serving_layer.browsers import SAFE
from serving_layer.errors import BadQuery, Forbidden, NotServing, TookTooLong, TooMany, Unauthenticated, Unknown


def problem(status: int, name: str, detail: str) -> Response:
    """The answer that says what is wrong, and with what."""
    return JSONResponse({"name": name, "detail": detail}, status)


async def _unauthenticated(_: Request, error: Exception) -> Response:
    answer = problem(401, "authorization", str(error))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _forbidden(_: Request, error: Exception) -> Response:
    return problem(403, getattr(error, "name", "path"), str(error))


async def _unknown(_: Request, error: Exception) -> Response:
    return problem(404, getattr(error, "name", "path"), str(error))


async def _bad(_: Request, error: Exception) -> Response:
    return problem(422, getattr(error, "name", "query"), str(error))


async def _too_many(_: Request, error: Exception) -> Response:
    answer = problem(429, "rate", str(error))
    answer.headers["Retry-After"] = str(getattr(error, "seconds", 1))
    return answer


async def _late(_: Request, error: Exception) -> Response:
    return problem(504, "query", str(error))


async def _away(_: Request, error: Exception) -> Response:
    return problem(503, "state", str(error))


async def _full(_: Request, error: Exception) -> Response:
    return problem(503, "state", f"memory and scratch space must be enough; {str(error).splitlines()[0]}")


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    asked = f"{request.method} {request.url.path}"
    answer = problem(error.status_code, request.url.path, f"'{asked}': {error.detail}; /docs lists what there is")
    answer.headers.update(error.headers or {})
    return answer


async def _broken(_: Request, __: Exception) -> Response:
    answer = problem(500, "server", "an error of the server; its log says which")
    answer.headers.update(SAFE)  # what adds them to other answers has failed by now
    return answer


ANSWERS = {
    Unauthenticated: _unauthenticated,
    Forbidden: _forbidden,
    Unknown: _unknown,
    BadQuery: _bad,
    TooMany: _too_many,
    TookTooLong: _late,
    NotServing: _away,
    StorageError: _away,
    FileNotFoundError: _away,
    duckdb.OutOfMemoryException: _full,
    duckdb.IOException: _full,
    HTTPException: _refused,
    Exception: _broken,
}


def answer_errors(app: FastAPI) -> None:
    """Let every error of a request be answered in one form."""
    for error, handler in ANSWERS.items():
        app.add_exception_handler(error, handler)
