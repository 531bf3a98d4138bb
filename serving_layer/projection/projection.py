"""Keeps a database at what is served: every new head with the rows that it changes, in one transaction."""

from __future__ import annotations

import time

from runtime.errors import PlatformError
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.identity.roster import ROSTER, read_roster
from serving_layer.projection.database import Database, ProjectionError, told_apart
from serving_layer.projection.excerpt import Taken, excerpt
from serving_layer.projection.metrics import ProjectionMetrics
from serving_layer.projection.tables import tables
from serving_layer.state.serving_state import ServingState

LOG = Log("projection")
ROSTER_SECONDS = 5.0


class Projection:
    """The views of `state` in the database of `settings`, which nobody else may ask for views.

    What was written last is known while the connection lasts. After anything that went wrong, and at first, all rows
    are compared: then it doesn't matter what the database has.
    """

    def __init__(self, settings: Settings, state: ServingState, rebuild: bool = False):
        if not settings.projection_database:
            raise ProjectionError("setting PROJECTION_DATABASE: must name a PostgreSQL database; got none")
        self.conninfo, self.state, self.rebuild = settings.projection_database, state, rebuild
        self.identity = open_store(settings.identity, settings)
        self.tables, self.metrics = tables(), ProjectionMetrics()
        self.database: Database | None = None
        self.taken: Taken | None = None
        self._roster_tag: tuple[str | None] | None = None
        self._roster_looked = float("-inf")

    def step(self) -> bool:
        """Write what has changed; whether anything has. NotServing where there is no state to write yet."""
        try:
            with told_apart("database"):
                database = self._opened()
                self._follow_roster(database)
                changed = self._follow_state(database)
            self.metrics.is_current()
            return changed
        except BaseException:
            self.metrics.failed()
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        if self.database:
            self.database.close()
        self.database, self.taken, self._roster_tag = None, None, None
        self._roster_looked = float("-inf")

    def _opened(self) -> Database:
        if self.database is None:
            self.database = Database(self.conninfo, self.tables, self.rebuild)
            self.rebuild = False
        return self.database

    def _follow_state(self, database: Database) -> bool:
        started = time.monotonic()
        with excerpt(self.state.served, self.taken) as found:
            if found is None:
                return False
            changed = database.write(found)
            self.taken = found.taken
        views, seconds = len(found.parts), time.monotonic() - started
        self.metrics.wrote(found, changed, seconds)
        LOG.info("projected", run=found.run, views=views, rows=changed, seconds=seconds)
        return True

    def _follow_roster(self, database: Database) -> None:
        """Where the roster can't be read, the one that was read last counts on."""
        if time.monotonic() < self._roster_looked + ROSTER_SECONDS:
            return
        self._roster_looked = time.monotonic()
        try:
            tag = (self.identity.etag(ROSTER),)
            roster, read = read_roster(self.identity) if tag != self._roster_tag else (None, None)
        except (PlatformError, OSError) as error:
            LOG.warning("the roster stays as it was", error=error)
            return
        if roster:
            database.write_roster(roster)
            self._roster_tag = (read,)
