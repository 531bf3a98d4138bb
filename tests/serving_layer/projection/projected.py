"""A platform and its projection into a real PostgreSQL, compared with the oracle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from catalogue.views import VIEWS
from serving_layer.projection.projection import Projection
from serving_layer.projection.text import MARK, NUL
from serving_layer.state.serving_state import ServingState
from tests.laws.test_merged import Platform, settle
from tests.oracle.comparison import differences
from tests.oracle.histories import history, landed
from tests.oracle.views import all_views

LIMIT = 120


def read(text: object) -> object:
    """A value as events have it."""
    if not isinstance(text, str):
        return text
    return MARK.join(part.replace(NUL, "\0") for part in text.split(MARK * 2))


class Projected:
    """A platform and its projection into a fresh database."""

    def __init__(self, postgres, folder: Path, seed: int, events: int = 700):
        self.postgres, self.database = postgres, postgres.fresh()
        self.platform = Platform(folder, history(seed, events), seed)
        settings = self.platform.settings
        places = {"identity": str(folder / "identity"), "projection_database": postgres.address(database=self.database)}
        self.settings = self.platform.settings = replace(settings, **places)
        self.state = ServingState(self.settings)
        self.state.look()
        self.projection = Projection(self.settings, self.state)

    def step(self) -> bool:
        settle(self.state)
        return self.projection.step()

    def connection(self) -> psycopg.Connection:
        return self.postgres.superuser(self.database)

    def rows(self, connection: psycopg.Connection, view: str) -> list[dict]:
        found = connection.cursor(row_factory=dict_row).execute(f'SELECT * FROM learning."{view}"').fetchall()
        return [{name: read(value) for name, value in row.items()} for row in found]

    def as_of(self, connection: psycopg.Connection) -> dict:
        (found,) = connection.cursor(row_factory=dict_row).execute("SELECT * FROM learning.as_of").fetchall()
        return found

    def check(self, at_served_head: bool = True) -> dict:
        """Every view is what the oracle makes of the records below the head that stands beside them."""
        with self.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            as_of = self.as_of(connection)
            got = {view: self.rows(connection, view) for view in VIEWS}
        generation = self.state.generation
        assert generation
        if at_served_head:
            assert as_of["head"] == {topic: state.head for topic, state in generation.topics.items()}
            assert (as_of["run"], as_of["cut"]) == (generation.run, {t: s.cut for t, s in generation.topics.items()})
        expected = all_views(landed(self.platform.covered(as_of["head"])))
        wrong = {view: found[:2] for view in VIEWS if (found := differences(expected[view], got[view]))}
        assert not wrong
        return as_of

    def stop(self) -> None:
        self.projection.close()
        self.state.stop()
