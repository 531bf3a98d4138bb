"""The collector as one application: its routes by standard, and what holds for every request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from ingestion_layer.collecting import caliper, canvas, edx, health, own_events
from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.intake import Intakes
from ingestion_layer.collecting.refusals import answer_errors
from ingestion_layer.collecting.sources import STANDARDS
from ingestion_layer.collecting.streams import Streams
from ingestion_layer.collecting.watch import Watch
from ingestion_layer.collecting.xapi import routes as xapi
from runtime.settings import Settings, SettingsError

STREAMS = {"caliper": caliper, "edx": edx, "canvas": canvas}


def create_app(settings: Settings) -> FastAPI:
    """The application in front of the Kafka of `settings`; SettingsError for standards that there aren't."""
    chosen = [name.strip() for name in settings.collector_standards.split(",")]
    for name in chosen:
        if name not in STANDARDS:
            raise SettingsError(f"setting COLLECTOR_STANDARDS: must be some of {', '.join(STANDARDS)}; got {name!r}")
    desk = Desk(settings)
    intakes = Intakes(desk) if {"xapi", "caliper", "edx", "canvas"} & set(chosen) else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.gate.start()
        desk.kafka.start()
        if intakes:
            intakes.erasing.start()
        yield
        if intakes:
            await intakes.close()
        await desk.kafka.close()
        await run_in_threadpool(desk.gate.stop)

    app = FastAPIOffline(
        title="Learning analytics: collector",
        description="Learning events in, by HTTP: nothing is acknowledged before Kafka has it.",
        version="1",
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.add_middleware(Watch, accounts=desk.accounts)
    answer_errors(app)
    health.add(app, desk)
    if "events" in chosen:
        own_events.add(app, desk)
    if intakes and "xapi" in chosen:
        xapi.add(app, desk, intakes)
    if intakes:
        streams = Streams(desk, intakes)
        for name, module in STREAMS.items():
            if name in chosen:
                module.add(app, desk, streams)
    return app
