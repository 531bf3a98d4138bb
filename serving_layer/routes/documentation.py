"""The pages `/docs` and `/redoc`, whose own scripts are named by their hashes: no other may run there."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = ("/docs", "/redoc")
INLINE = re.compile(rb"<script>(.*?)</script>|<style>(.*?)</style>", re.DOTALL)


def add(app: FastAPI) -> None:
    """Say of the pages what they may load."""
    app.add_middleware(_Policy)


class _Policy:
    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PAGES:
            return await self.app(scope, receive, send)
        start: Message | None = None
        body = b""

        async def noted(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body") or start is None:
                return
            headers = [*start["headers"], (b"content-security-policy", policy(body).encode())]
            await send({**start, "headers": headers})
            await send({**message, "body": body})

        await self.app(scope, receive, noted)


def policy(page: bytes) -> str:
    """What a page with these inline scripts and styles may load: of this service alone, and nothing else inline."""
    scripts, styles = (
        " ".join(f"'sha256-{b64encode(sha256(text).digest()).decode()}'" for text in found if text)
        for found in zip(*(match.groups() for match in INLINE.finditer(page)), strict=True)
    )
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' {styles}; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
