"""Notes what is shown to whom while it is served, and writes it to the store beside that."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from collections.abc import Iterable

from starlette.requests import Request

from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.disclosure.chains import PERSONS, PURPOSE, Line, digest, encoded, ends, path_of
from serving_layer.errors import NotServing
from serving_layer.identity.viewer import Viewer

LOG = Log("serving")
WRITE_SECONDS = 1.0
# For so long, or so many records, answers go on while the log can't be written.
PATIENCE_SECONDS, MOST_WAITING = 10.0, 100_000
MOST_PURPOSE = 200
MOST_PURPOSES = 10_000


class Recorder:
    """Records of answers with rows of identified people, in a chain of its own; none where nobody has to log in."""

    def __init__(self, settings: Settings):
        self.store = open_store(settings.disclosure_log, settings)
        self.on = settings.authentication == "required"
        self._stops = settings.disclosure_stops == "yes"
        self._waiting: list[Line] = []
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._purposes: dict[str, str] = {}
        self._fresh: list[Line] = []
        self._half: tuple[bytes, bytes, int, int] | None = None  # a file that is being written: it may be there already
        self._chain = f"{_now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._number = 0
        self._previous: str | None = None
        self._failing: float | None = None
        self._writing = Background("disclosure log", LOG, self.write, WRITE_SECONDS)

    def start(self) -> None:
        """Begin a chain."""
        if self.on:
            self._writing.start()

    def stop(self) -> None:
        """Write what waits."""
        if self.on:
            self._writing.stop()
            try:
                self.write()
            except Exception as error:  # the server stops all the same
                LOG.error("the last records of the disclosure log are lost", error=error, records=len(self._waiting))

    def check(self) -> None:
        """NotServing where nothing may be shown, as it couldn't be noted down."""
        if not self._stops or self._failing is None:
            return
        if time.monotonic() - self._failing > PATIENCE_SECONDS or len(self._waiting) > MOST_WAITING:
            raise NotServing("the log of what is shown must be written (DISCLOSURE_LOG); rows of people wait for it")

    def note(self, viewer: Viewer, view: str, persons: Iterable[str | None], covers: Line, request: Request) -> None:
        """Note that an answer shows rows of `persons`; the header X-Purpose says what for."""
        shown = {person for person in persons if person is not None}
        if shown and self.on:
            if not self._stops and len(self._waiting) > MOST_WAITING:
                return  # told in the log as failing; rows are to be shown all the same
            purpose = request.headers.get("x-purpose")
            self._waiting.append(
                {
                    "time": time.time(),
                    "who": viewer.person or viewer.credential.partition("token ")[2],
                    "role": viewer.role,
                    "by": "token" if viewer.credential.startswith("token ") else viewer.credential,
                    "view": view,
                    "persons": shown,
                    "purpose": purpose and purpose[:MOST_PURPOSE],
                    **covers,
                    "head": covers["head"] and dict(covers["head"]),
                }
            )

    def write(self) -> None:
        """Write what waits as the chain's next file; the first one is written at once, to see that it can be."""
        with self._lock:
            try:
                if self._half is None:
                    self._begin()
                self._finish()
                self._failing = None
            except BaseException:
                self._failing = self._failing or time.monotonic()
                raise

    def _begin(self) -> None:
        records, count = [], len(self._waiting)
        if not count and self._number:
            return
        for noted in self._waiting[:count]:
            moment = dt.datetime.fromtimestamp(noted["time"], dt.UTC).isoformat(timespec="milliseconds")
            persons = sorted(self._token(person) for person in noted["persons"])
            who = self._token(noted["who"]) if noted["who"] else ""
            told = noted | {"time": moment.replace("+00:00", "Z"), "who": who, "persons": persons}
            records.append(told | {"purpose": noted["purpose"] and self._words(noted["purpose"])})
        head = {"chain": self._chain, "number": self._number, "previous": self._previous}
        head["time"] = f"{_now():%Y-%m-%dT%H:%M:%SZ}"
        if not self._number:
            head["others"] = ends(self.store)
        self._half = encoded([head, *records]), encoded(self._fresh), count, len(self._fresh)

    def _finish(self) -> None:
        if self._half is None:
            return
        data, persons, count, fresh = self._half
        place = path_of(self._chain, self._number)
        if fresh:  # first: a token whose person nobody knew would be no record
            self.store.write(place.replace("/", f"{PERSONS}/"), persons)
        try:
            self.store.create(place, data)
        except FileExistsError:
            if self.store.read(place) != data:  # an attempt that seemed to fail would have written the same
                raise
        self._previous, self._number, self._half = digest(data), self._number + 1, None
        del self._waiting[:count], self._fresh[:fresh]

    def _words(self, purpose: str) -> str:
        """A token of what may name somebody: it stands where people's do, and can be changed there."""
        known = self._purposes.get(purpose)
        if known is None:
            if len(self._purposes) >= MOST_PURPOSES:
                self._purposes.clear()
            known = self._purposes[purpose] = f"{PURPOSE}{secrets.token_hex(8)}"
            self._fresh.append({"token": known, "purpose": purpose})
        return known

    def _token(self, person: str) -> str:
        known = self._tokens.get(person)
        if known is None:
            known = self._tokens[person] = secrets.token_hex(8)
            self._fresh.append({"token": known, "person": person})
        return known


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
