"""The query API as one application: its state, its routes, and what holds for every request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.advising.advice import Advices
from serving_layer.advising.marks import Marks
from serving_layer.disclosure.recorder import Recorder
from serving_layer.identity.gate import Gate
from serving_layer.identity.sight import forget_marks
from serving_layer.metrics import Metrics
from serving_layer.middleware import EveryRequest
from serving_layer.problems import answer_errors
from serving_layer.query.answers import Answers
from serving_layer.query.coverage import Coverage
from serving_layer.query.deadlines import Deadlines
from serving_layer.routes import (
    advice,
    changes,
    dashboard,
    disclosures,
    documentation,
    exports,
    freshness,
    health,
    login,
    operation,
    realtime,
    runs,
    views,
)
from serving_layer.state.changes import Changes
from serving_layer.state.precomputation import Precomputation
from serving_layer.state.serving_state import ServingState


def create_app(settings: Settings) -> FastAPI:
    """The application over the bucket of `settings`; its state follows the bucket while it runs."""
    state = ServingState(settings)
    coverage = Coverage(state.heartbeat)
    deadlines = Deadlines(settings.query_seconds)
    answers, precomputation = Answers(coverage, deadlines), Precomputation(state)
    state.succession.forgetting += [lambda: answers.snapshots.drop_old(everything=True), forget_marks]
    gate, recorder = Gate(settings), Recorder(settings)
    metrics = Metrics(state, coverage)
    followed = Changes(state, coverage)
    advices = Advices(open_store(settings.identity, settings))
    marks = Marks(advices.store)
    marks.told.append(followed.tell)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        gate.start()
        recorder.start()
        deadlines.start()
        state.start()
        precomputation.start()
        followed.start()
        marks.start()
        yield
        followed.stop()
        await run_in_threadpool(marks.stop)
        answers.snapshots.drop_old(everything=True)
        await run_in_threadpool(precomputation.stop)
        await run_in_threadpool(state.stop)
        await run_in_threadpool(gate.stop)
        await run_in_threadpool(recorder.stop)
        await run_in_threadpool(deadlines.stop)

    app = FastAPIOffline(  # its pages come without files from elsewhere
        title="Learning analytics",
        description="Views of learning events: the batch layer's answer and every event since, in one.",
        version="1",
        lifespan=lifespan,
        # Prometheus asks this process itself; to look for OpenTelemetry with each request takes time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.serving, app.state.exposition, app.state.changes = state, metrics.exposition, followed
    app.state.gate, app.state.recorder = gate, recorder
    documentation.add(app)
    app.add_middleware(EveryRequest, metrics=metrics, own=gate.required, secure=bool(gate.login and gate.login.secure))
    answer_errors(app)
    # Added to the application itself: a router of its own costs each lookup a tenth.
    views.add(app, state, answers, gate, recorder)
    realtime.add(app, state.realtime, deadlines, gate, recorder)
    freshness.add(app, state, coverage, gate)
    runs.add(app, state, gate)
    changes.add(app, followed, marks, gate)
    health.add(app, state, metrics, answers.snapshots, gate)
    login.add(app, gate)
    disclosures.add(app, state, gate, recorder)
    exports.add(app, settings, state, gate, recorder)
    advice.add(app, advices, marks, gate, recorder)
    operation.add(app, settings, deadlines, gate, recorder)
    dashboard.add(app)
    return app
