"""The routes that hand out events of a person or a course, as xAPI statements and as Caliper events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from catalogue.at_rest.deltas import Vector
from catalogue.at_rest.erasures import ErasureError, read_erasures
from catalogue.views.disclosure import Disclosure
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import BadQuery, NotServing, TooMany
from serving_layer.export.counted_events import CountedEvents, Wanted
from serving_layer.export.documents import STANDARDS, Document, Standard
from serving_layer.identity.gate import Gate
from serving_layer.identity.sight import Sight, sight_of
from serving_layer.openapi import ERRORS, EXPORT, EXPORT_PARAMETERS, REFUSALS
from serving_layer.query.formats import json_bytes
from serving_layer.query.parameters import Pairs, readings
from serving_layer.query.reversal import person_of
from serving_layer.query.values import reading_of
from serving_layer.state.serving_state import ServingState

# By which columns it is decided who may see an event; the name is the one that a key's scope may have.
RULE, SCOPE = Disclosure("user_id", "course_id", ""), "export"
NAMES = ("student", "course", "since", "until")
TIME = "TIMESTAMP WITH TIME ZONE"
# Each reads what may be a lot of raw events; where keys are required, nobody has more than one at a time.
MOST_AT_ONCE, RETRY_SECONDS = 2, 10
MOST_SECONDS = 900.0


def add(app: FastAPI, settings: Settings, state: ServingState, gate: Gate, recorder: Recorder) -> None:
    """`/export/xapi` and `/export/caliper`."""
    exports = _Exports(settings, state, gate, recorder)
    answers: dict[int | str, dict[str, Any]] = {
        **EXPORT,
        **REFUSALS,
        **{status: ERRORS[status] for status in (422, 503, 504)},
    }
    beside = {"parameters": EXPORT_PARAMETERS}

    @app.get(
        "/export/xapi", responses=answers, openapi_extra=beside, summary="Events of a student or a course, as xAPI"
    )
    async def xapi(request: Request) -> Response:
        return await exports.answer(STANDARDS["xapi"], request)

    @app.get(
        "/export/caliper",
        responses=answers,
        openapi_extra=beside,
        summary="Events of a student or a course, as Caliper",
    )
    async def caliper(request: Request) -> Response:
        return await exports.answer(STANDARDS["caliper"], request)


class _Exports:
    def __init__(self, settings: Settings, state: ServingState, gate: Gate, recorder: Recorder):
        self.settings, self.state, self.gate, self.recorder = settings, state, gate, recorder
        self.working: list[str] = []
        self.lock = threading.Lock()

    @cached_property
    def raw(self) -> Store:
        """The raw events; opened when somebody asks for some."""
        return open_store(self.settings.master_dataset, self.settings)

    async def answer(self, standard: Standard, request: Request) -> Response:
        viewer = await self.gate.viewer(request)
        sight = sight_of(viewer, SCOPE, RULE, self.gate.key)
        wanted = parse(*readings(request.scope["query_string"]))
        noted = self.recorder.on and not sight.pseudonym
        if noted:
            self.recorder.check()
        ends = time.monotonic() + MOST_SECONDS
        release = self._place(f"{viewer.role} {viewer.person or viewer.credential}")
        try:
            with self.state.reading() as generation:
                covers: dict[str, Any] = {"run": generation.run, "head": None}
                cut = {topic: dict(served.cut) for topic, served in generation.topics.items()}
                if sight.pseudonym and wanted.persons:
                    named = await run_in_threadpool(person_of, generation, wanted.persons[0], self.gate.key)
                    wanted = Wanted(() if named is None else (named,), wanted.courses, wanted.since, wanted.until)
                    cut = cut if named is not None else {}
            found = await run_in_threadpool(self._found, cut, wanted, sight, ends)
        except BaseException:
            release()
            raise

        def note(persons: set[str]) -> None:
            if noted:
                self.recorder.note(viewer, request.url.path.strip("/"), persons, covers, request)

        document = Document(standard, found, sight, note, release)
        as_of = json_bytes({"run": covers["run"], "cut": cut, "head": cut}).decode()
        headers = {"X-As-Of": as_of, "Cache-Control": "no-store", **standard.headers}
        return StreamingResponse(document, 200, headers, "application/json")

    def _place(self, who: str) -> Callable[[], None]:
        """Take a place for somebody; what gives it back. TooMany where there is none."""
        with self.lock:
            if len(self.working) >= MOST_AT_ONCE or (self.gate.required and who in self.working):
                raise TooMany(
                    RETRY_SECONDS, f"exports must be at most {MOST_AT_ONCE} at once, and one for one; come again"
                )
            self.working.append(who)

        def release() -> None:
            with self.lock:
                self.working.remove(who)

        return release

    def _found(self, cut: dict[str, Vector], wanted: Wanted, sight: Sight, ends: float) -> CountedEvents:
        try:
            erased = read_erasures(self.raw, self.settings.erasure_key)
        except ErasureError as error:
            raise NotServing(str(error)) from None
        return CountedEvents(self.raw, cut, wanted, sight, self.settings.duplicate_days, erased, ends)


def parse(spaced: Pairs, literal: Pairs) -> Wanted:
    """What is wanted, of both readings of a request's parameters; raises BadQuery."""
    chosen: dict[str, tuple[str, str]] = {}
    for (name, text), (_, second) in zip(spaced, literal, strict=True):
        if name not in NAMES:
            raise BadQuery(name, f"parameter must be one of {', '.join(NAMES)}; got '{name}'")
        if name in chosen:
            raise BadQuery(name, "must be given once")
        chosen[name] = (text, second)
    for name in ("student", "course"):
        if name in chosen and not chosen[name][0]:
            raise BadQuery(name, "must be an id; got ''")
    if not {"student", "course"} & chosen.keys():
        raise BadQuery("student", "must be given, or course")
    return Wanted(
        tuple(dict.fromkeys(chosen.get("student", ()))),
        tuple(dict.fromkeys(chosen.get("course", ()))),
        *(_moment(name, *chosen[name]) if name in chosen else None for name in ("since", "until")),
    )


def _moment(name: str, text: str, second: str) -> str:
    found = reading_of(name, text, second, TIME).replace(tzinfo=None)
    return str(found.isoformat(" ", "microseconds"))
