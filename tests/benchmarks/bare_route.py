"""A FastAPI route that returns the bytes of the file BARE_BYTES and does nothing else, on SERVING_PORT."""

from __future__ import annotations

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

app = FastAPI()
BYTES = Path(os.environ["BARE_BYTES"]).read_bytes()


@app.get("/bare")
async def bare() -> Response:
    """The bytes."""
    return Response(BYTES, media_type="application/json")


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """Ready as soon as it answers."""
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["SERVING_PORT"]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
