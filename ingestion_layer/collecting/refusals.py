"""What a sender is told where a request isn't taken: a status, the name of what is wrong, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from runtime.errors import PlatformError
from runtime.logs import Log
from runtime.storage.store import StorageError

LOG = Log("collector")
RETRY_SECONDS = 5


class Refused(PlatformError):
    """A request that isn't taken; `name` is what of it is wrong."""

    def __init__(self, status: int, name: str, detail: str, headers: Mapping[str, str] | None = None):
        super().__init__(detail)
        self.status, self.name, self.headers = status, name, dict(headers or {})


def come_again(name: str, detail: str, seconds: float = RETRY_SECONDS, status: int = 503) -> Refused:
    """A refusal for now: the sender may come again after some seconds."""
    return Refused(status, name, detail, {"Retry-After": str(max(1, round(seconds)))})


def problem(status: int, name: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says what is wrong, and with what."""
    return JSONResponse({"name": name, "detail": detail}, status, dict(headers or {}))


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return problem(error.status, error.name, f"{error.name}: {error}", error.headers)


async def _no_route(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = f"'{request.method} {request.url.path}': {error.detail}; /docs lists what there is"
    return problem(error.status_code, request.url.path, detail, error.headers)


async def _away(_: Request, error: Exception) -> Response:
    return problem(503, "store", f"store: {error}", {"Retry-After": str(RETRY_SECONDS)})


async def _broken(request: Request, error: Exception) -> Response:
    LOG.error("request failed", path=request.url.path, error=f"{type(error).__name__}: {error}")
    return problem(500, "server", "an error of the server; its log says which")


def answer_errors(app: FastAPI) -> None:
    """Let every error of a request be answered in one form."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(StorageError, _away)
    app.add_exception_handler(Exception, _broken)
