"""The database of the projection: its schema as the catalogue has it, and what is written to it, transaction by
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from runtime.errors import PlatformError
from serving_layer.identity.roster import Roster
from serving_layer.projection.excerpt import Excerpt, Part
from serving_layer.projection.tables import BESIDE, SCHEMA, Table
from serving_layer.projection.text import written

APPLICATION = "learn project"
OLDEST_SERVER = 150_000
CONNECT_SECONDS = 10
# Held by the one process that writes; a number that nobody else is likely to have taken.
LOCK = 0x6C6561726E
# The server may take a moment to see that the one before has gone.
LOCK_SECONDS = 5

COLUMNS = """
SELECT
    c.relname,
    array_agg(a.attname::text ORDER BY a.attnum),
    array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = %s AND c.relkind = 'r' AND c.relrowsecurity AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.relname"""


class ProjectionError(PlatformError):
    """The database can't be written to, or isn't what was written to it."""


class Database:
    """A connection that alone writes. The first excerpt that it writes has to be of everything.

    Tables that are missing or aren't as they are declared are made in that same transaction; with `rebuild`, all are.
    Whatever goes wrong, its caller closes the connection.
    """

    def __init__(self, conninfo: str, tables: dict[str, Table], rebuild: bool = False):
        self.tables, self.rebuild, self.prepared = tables, rebuild, False
        self.connection = psycopg.connect(
            conninfo, autocommit=True, application_name=APPLICATION, connect_timeout=CONNECT_SECONDS
        )
        try:
            self._check()
            with self.connection.transaction():
                for statement in BESIDE:
                    self.run(statement)
            self.number = self._number()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection, and of what it has not committed."""
        self.connection.close()

    def run(self, sql: str, values: Sequence[Any] | None = None) -> psycopg.Cursor[Any]:
        """Run a statement."""
        return self.connection.execute(sql.encode(), values)

    def write(self, found: Excerpt) -> int:
        """Write an excerpt and what it covers, all of it or nothing; how many rows were deleted or inserted."""
        with self.connection.transaction():
            if not self.prepared:
                self._prepare()
            changed = sum(self._write(part) for part in found.parts)
            number = (self.number or 0) + 1
            values = (number, found.run, json.dumps(found.cut), json.dumps(found.head), found.watermark)
            if self.number is None:
                self.run(f"DELETE FROM {SCHEMA}.as_of")
                told = self.run(f"INSERT INTO {SCHEMA}.as_of VALUES (%s, %s, %s, %s, %s, clock_timestamp())", values)
            else:
                told = self.run(
                    f"UPDATE {SCHEMA}.as_of SET (number, run, cut, head, watermark, written_at) = "
                    "(%s, %s, %s::jsonb, %s::jsonb, %s::timestamptz, clock_timestamp()) WHERE number = %s",
                    (*values, self.number),
                )
            if told.rowcount != 1:
                raise ProjectionError(f"table {SCHEMA}.as_of must be what was written to it; got another number")
        self.number, self.prepared = number, True
        return changed

    def write_roster(self, roster: Roster) -> None:
        """Replace who teaches and advises whom."""
        with self.connection.transaction():
            for table, links in (("teaches", roster.teaches), ("advises", roster.advises)):
                self.run(f"DELETE FROM {SCHEMA}.{table}")
                rows = ((written(person), written(one)) for person, found in links.items() for one in found)
                self._copy(f"{SCHEMA}.{table}", ["text", "text"], rows)

    def _check(self) -> None:
        version = self.connection.info.server_version
        encoding = self.connection.info.parameter_status("server_encoding")
        if version < OLDEST_SERVER or encoding != "UTF8":
            raise ProjectionError(f"the database must be of PostgreSQL 15 or later, in UTF8; got {version}, {encoding}")
        self.run("SET TimeZone = 'UTC'")
        # A process that died in a transaction must not hold its locks for longer.
        self.run("SET client_connection_check_interval = '2s'")
        self.run(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        try:
            self.run("SELECT pg_advisory_lock(%s)", [LOCK])
        except psycopg.errors.LockNotAvailable:
            raise ProjectionError("the database must have one process that writes to it; got another one") from None
        self.run("RESET lock_timeout")

    def _prepare(self) -> None:
        """Make what is missing or isn't as it is declared, and the tables that hold what is to be compared."""
        known = dict(self.run(f"SELECT view, digest FROM {SCHEMA}.projected").fetchall())
        rows = self.run(COLUMNS, [SCHEMA]).fetchall()
        found = {name: dict(zip(columns, kinds, strict=True)) for name, columns, kinds in rows}
        for name in known.keys() - self.tables.keys():
            self.run(f'DROP TABLE IF EXISTS {SCHEMA}."{name}"')
            self.run(f"DELETE FROM {SCHEMA}.projected WHERE view = %s", [name])
        for name, table in self.tables.items():
            if self.rebuild or known.get(name) != table.digest or found.get(name) != table.types:
                self.run(f"DROP TABLE IF EXISTS {table.name}")
                for statement in table.statements:
                    self.run(statement)
                self.run(f"DELETE FROM {SCHEMA}.projected WHERE view = %s", [name])
                self.run(f"INSERT INTO {SCHEMA}.projected VALUES (%s, %s)", [name, table.digest])
            for temporary, columns in ((_stage(table), table.columns), (_hit(table), f'"{table.view.shard}" AS v')):
                empty = f"SELECT {columns} FROM {table.name} LIMIT 0"
                self.run(f'CREATE TEMP TABLE "{temporary}" ON COMMIT DELETE ROWS AS {empty}')

    def _number(self) -> int | None:
        rows = self.run(f"SELECT number FROM {SCHEMA}.as_of").fetchall()
        return int(rows[0][0]) if len(rows) == 1 else None

    def _write(self, part: Part) -> int:
        """Delete and insert what a part has otherwise than its table: whole rows are compared, NULL equal to NULL."""
        table = self.tables[part.view.name]
        stage, hit, shard = f'"{_stage(table)}"', f'"{_hit(table)}"', part.view.shard
        self._copy(stage, list(table.types.values()), part.rows(table.kinds))
        chosen = ""
        if not part.whole:
            self._copy(hit, [table.types[shard]], part.shards(table.kinds[shard]))
            self.run(f"ANALYZE {hit}")
            chosen = f' WHERE "{shard}" IN (SELECT v FROM {hit})'
        columns = table.columns
        changed, doubled = self.run(f"""
            WITH compared AS (
                SELECT max(place) AS place, count(place) AS copies, {columns} FROM (
                    SELECT ctid AS place, {columns} FROM {table.name}{chosen}
                    UNION ALL SELECT NULL, {columns} FROM {stage}
                ) AS both_sides GROUP BY {columns} HAVING count(*) = 1 OR count(place) > 1
            ), gone AS (
                DELETE FROM {table.name} WHERE ctid = ANY (ARRAY(SELECT place FROM compared WHERE place IS NOT NULL))
                RETURNING 1
            ), come AS (
                INSERT INTO {table.name} ({columns}) SELECT {columns} FROM compared WHERE place IS NULL RETURNING 1
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM come), max(copies) > 1
            FROM compared""").fetchall()[0]
        if doubled:  # somebody else wrote here
            self.run(f"DELETE FROM {table.name}{chosen}")
            changed = self.run(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {stage}").rowcount
        return int(changed)

    def _copy(self, table: str, types: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()) as to:
            to.set_types([_SHORT.get(kind, kind) for kind in types])
            for row in rows:
                to.write_row(row)


# psycopg knows this type by its other name.
_SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float8", "bigint": "int8"}


def _stage(table: Table) -> str:
    return f"stage_{table.view.name}"


def _hit(table: Table) -> str:
    return f"hit_{table.view.name}"


@contextmanager
def told_apart(what: str) -> Iterator[None]:
    """An error of the database is told in one line, as a ProjectionError of `what`."""
    try:
        yield
    except psycopg.Error as error:
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise ProjectionError(f"{what}: {told}") from error
