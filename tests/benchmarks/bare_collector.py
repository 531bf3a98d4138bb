"""A FastAPI route that gives what it gets to Kafka and waits for it, and does nothing else: `… PORT`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

from ingestion_layer.collecting.kafka_producer import connected
from runtime.settings import Settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """With a producer."""
    app.state.producer = connected(Settings.load())
    yield
    app.state.producer.close()


app = FastAPI(lifespan=lifespan)


@app.post("/events")
async def events(request: Request) -> Response:
    """Each line to Kafka, and an answer of as many bytes when the last is there."""
    lines = (await request.body()).split(b"\n")
    loop, last = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    left = len(lines)

    def took(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.call_soon_threadsafe(last.set_result, None)

    for line in lines:
        app.state.producer.send("video_topic", line, key=b"SV001").add_callback(took)
    await last
    told = {"events": [{"status": "accepted", "event_id": "0" * 36} for _ in lines]}
    return Response(orjson.dumps(told), media_type="application/json")


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """Ready as soon as it answers."""
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, loop="uvloop", http="httptools")
