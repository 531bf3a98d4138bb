"""What is done for every request: it is counted and timed, HEAD is answered, and gzip is for who accepts it."""

from __future__ import annotations

import time
from functools import cache

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving_layer.browsers import SAFE
from serving_layer.metrics import Metrics

_SAFE = tuple((name.encode(), value.encode()) for name, value in SAFE.items())
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
OWN = ((b"cache-control", b"private"), (b"vary", b"authorization, cookie"))
PLAIN = (b"vary", b"accept-encoding")
_GZIP = (b"accept-encoding", b"gzip")
SMALLEST_GZIP = 2000


class EveryRequest:
    """Counts answers by route and status, and makes them safe for browsers.

    HEAD is answered as GET is: the server leaves the body out.

    Where everyone has their `own` answers, caches between are told to give no one's to another.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, own: bool = False, secure: bool = False):
        self.plain, self.zipped = app, GZipMiddleware(app, minimum_size=SMALLEST_GZIP, compresslevel=5)
        self.own, self.safe = own, (*_SAFE, HTTPS_ONLY) if secure else _SAFE
        self.count, self.time = cache(metrics.requests.labels), cache(metrics.seconds.labels)
        self.added = cache(self._added)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self.plain(scope, receive, send)
        started, status, streams = time.perf_counter(), 500, False
        headers = _plainly_accepting(scope["headers"])
        app = self.zipped if _GZIP in headers else self.plain
        if headers is not scope["headers"] or scope["method"] == "HEAD":
            scope = {**scope, "headers": headers, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}

        async def noted(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
                added = self.added(tuple([name for name, _ in message["headers"]]), app is self.zipped)
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            await app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.count(route, str(status)).inc()
            if not streams:  # how long somebody follows says nothing of how fast answers are
                self.time(route).observe(time.perf_counter() - started)

    def _added(self, named: tuple[bytes, ...], zipped: bool) -> list[tuple[bytes, bytes]]:
        """The headers that come to those that an answer has."""
        added = [header for header in self.safe if header[0] not in named]
        if not zipped and b"vary" not in named:
            added.append(PLAIN)
        if self.own and b"cache-control" not in named:
            added += OWN
        return added


def _plainly_accepting(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with an Accept-Encoding that has `gzip` in it only where gzip is accepted."""
    for position, (name, value) in enumerate(headers):
        if name == b"accept-encoding" and value != b"gzip":
            plain = _GZIP if _accepts_gzip(value) else (name, b"identity")
            return [*headers[:position], plain, *headers[position + 1 :]]
    return headers


def _accepts_gzip(value: bytes) -> bool:
    weights = {}
    for choice in value.lower().split(b","):
        coding, _, weight = choice.partition(b";")
        try:
            weights[coding.strip()] = float(weight.strip().removeprefix(b"q=") or 1)
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get(b"gzip", weights.get(b"*", 0.0)) > 0
