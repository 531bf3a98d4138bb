"""What is done for every request to the collector: it is counted and timed."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion_layer.collecting.accounts import Accounts


class Watch:
    """Counts answers by route and status."""

    def __init__(self, app: ASGIApp, accounts: Accounts):
        self.app, self.accounts = app, accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.accounts.requests.labels(route, str(status)).inc()
            self.accounts.seconds.labels(route).observe(time.perf_counter() - started)
