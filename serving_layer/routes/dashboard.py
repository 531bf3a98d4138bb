"""The dashboard at `/`: its page, and the script and style sheet that the page names by their content."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

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
# Files never change: another content has another name.
FILE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


def add(app: FastAPI, built: Path = BUILT) -> None:
    """Give `app` the dashboard of the folder `built` at `/`, and the page of links at `/links`; at both without one."""
    page = built / "index.html"
    is_built = page.is_file()
    router = APIRouter()
    if is_built:
        text = page.read_text(encoding="utf-8")
        # From memory: reading them would wait for a thread, behind queries.
        files = {path.name: path.read_bytes() for path in built.iterdir() if path.suffix in (*MEDIA_TYPES, ".gz")}

        @router.get("/", response_class=HTMLResponse, summary="The dashboard")
        async def dashboard() -> HTMLResponse:
            return HTMLResponse(text, headers=HEADERS)

        @router.get("/dashboard/{name}", include_in_schema=False)
        async def file(name: str, request: Request) -> Response:
            """A file, as gzip has made it once where that is accepted."""
            media = MEDIA_TYPES.get(Path(name).suffix)
            if media is None or name not in files:
                raise HTTPException(404)
            zipped = files.get(f"{name}.gz") if request.headers.get("accept-encoding") == "gzip" else None
            encoding = {"Content-Encoding": "gzip"} if zipped else {}
            return Response(zipped or files[name], media_type=media, headers=FILE_HEADERS | encoding)

    app.include_router(router)
    app.include_router(front_page.routes(("/links",) if is_built else ("/", "/links")))
