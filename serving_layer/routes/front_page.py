"""The page of links: where a person finds what there is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from catalogue.views import VIEWS
from catalogue.views.windows import WINDOWS

LINKS = {
    "/docs": "try every route, and read what its parameters mean",
    "/views": "the views with their columns, as JSON",
    "/realtime": "the real-time windows with their columns, as JSON",
    "/freshness": "what the answers cover, how far behind they may be, and the ledger",
    "/health/ready": "whether the newest objects are served",
    "/metrics": "metrics for Prometheus",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:0 .2em}li{margin:.2em 0}"
)
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def page() -> str:
    """The page, which needs no other file."""
    links = "".join(
        f'<li><a href="{path}"><code>{path}</code></a>: {escape(what)}</li>' for path, what in LINKS.items()
    )
    views = "".join(f'<li><a href="/views/{name}?limit=20">{name}</a></li>' for name in VIEWS)
    windows = "".join(
        f'<li><a href="/realtime/{w.name}">{w.name}</a>: {escape(w.meaning)}</li>' for w in WINDOWS.values()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Learning analytics</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        "<h1>Learning analytics</h1><p>Views of learning events: the batch layer's answer and every event since, "
        f"in one.</p><ul>{links}</ul><h2>Views</h2><p>Every column is a filter, as in <code>?user_id=SV001</code>; "
        "<code>format=csv&amp;spreadsheet=true</code> is for spreadsheets.</p>"
        f"<ul>{views}</ul><h2>Real-time windows</h2><ul>{windows}</ul></body></html>\n"
    )


def routes(paths: Iterable[str]) -> APIRouter:
    """The page, at each of `paths`."""
    router, text = APIRouter(), page()

    async def front() -> HTMLResponse:
        return HTMLResponse(text, headers=HEADERS)

    for path in paths:
        router.add_api_route(path, front, response_class=HTMLResponse, summary="A page of links to what there is")
    return router
