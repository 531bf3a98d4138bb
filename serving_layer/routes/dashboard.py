"""The dashboard at `/`: its page, and the script and style sheet that the page names by their content."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from serving_layer.routes import front_page

# Made by `make setup`; where it wasn't, the page of links stands in its place.
BUILT = Path(__file__).resolve().parents[1] / "dashboard" / "built"
HEADERS = front_page.HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


class _Files(StaticFiles):
    """Files that never change: another content has another name. Beside each stands what gzip made of it, once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        zipped = Headers(scope=scope).get("accept-encoding") == "gzip" and bool(self.lookup_path(f"{path}.gz")[1])
        answer = await super().get_response(f"{path}.gz" if zipped else path, scope)
        if zipped:
            answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def add(app: FastAPI, built: Path = BUILT) -> None:
    """Give `app` the dashboard of the folder `built` at `/`, and the page of links at `/links`; at both without one."""
    page = built / "index.html"
    is_built = page.is_file()
    router = APIRouter()
    if is_built:
        text = page.read_text(encoding="utf-8")

        @router.get("/", response_class=HTMLResponse, summary="The dashboard")
        async def dashboard() -> HTMLResponse:
            return HTMLResponse(text, headers=HEADERS)

        app.mount("/dashboard", _Files(directory=built))
    app.include_router(router)
    app.include_router(front_page.routes(("/links",) if is_built else ("/", "/links")))
