"""Taking erased people out of the collector's file: piece by piece, so that senders don't wait for all of it."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Mapping

import orjson

from catalogue.at_rest.erasures import Erasures
from ingestion_layer.collecting.journal import Journal
from ingestion_layer.collecting.people import NO_NUMBERS, ids_of, relieved
from ingestion_layer.collecting.xapi.statements import mentions

ROWS_AT_ONCE = 500
# By source and standard the numbers that names are known to have.
Numbers = dict[tuple[str, str], Mapping[str, str]]
Step = Callable[[sqlite3.Connection, int], int | None]  # from a place on: the last one that was looked at


async def purge(journal: Journal, gone: Erasures, numbers: Numbers) -> None:
    """Until nothing in the file names people who were erased: statements, documents, what was mapped, and its memory.

    It may be stopped anywhere and done again.
    """
    known = dict(numbers)
    await _do(journal, lambda connection: _forget_memories(connection, gone, known))
    await _all(journal, lambda connection, place: _relieve_mapped(connection, gone, known, place))
    await _all(journal, lambda connection, place: _relieve_statements(connection, gone, place))
    await _do(journal, lambda connection: _drop_documents(connection, gone))
    noted = ("INSERT OR REPLACE INTO erased VALUES (1, ?)", (gone.version,))
    await journal.commit([noted])
    await journal.empty_log()


def purged(journal: Journal) -> str:
    """The version of the tombstones whose people nothing in the file names."""
    found = journal.rows("SELECT version FROM erased")
    return str(found[0][0]) if found else ""


async def _all(journal: Journal, step: Step) -> None:
    """A step from the first place to the last, in one commit each."""
    place: int | None = 0

    def do(connection: sqlite3.Connection) -> None:
        nonlocal place
        place = step(connection, place or 0)

    while place is not None:
        await _do(journal, do)


async def _do(journal: Journal, step: Callable[[sqlite3.Connection], None]) -> None:
    """A step; its error, where it has one, isn't that of whoever's changes are in the same commit."""
    failures: list[Exception] = []

    def guarded(connection: sqlite3.Connection) -> None:
        try:
            step(connection)
        except Exception as error:
            failures.append(error)

    await journal.commit([guarded])
    if failures:
        raise failures[0]


def _forget_memories(connection: sqlite3.Connection, gone: Erasures, known: Numbers) -> None:
    rows = connection.execute("SELECT source, standard, memory FROM memories").fetchall()
    for source, standard, kept in rows:
        memory = pickle.loads(kept)
        known[source, standard] = {**memory.numbers, **known.get((source, standard), {})}
        memory.forget(lambda one: bool(gone.among((one,))))
        values = (pickle.dumps(memory), source, standard)
        connection.execute("UPDATE memories SET memory = ? WHERE source = ? AND standard = ?", values)


def _relieve_mapped(connection: sqlite3.Connection, gone: Erasures, known: Numbers, after: int) -> int | None:
    query = "SELECT place, source, standard, document FROM mapped WHERE place > ? ORDER BY place LIMIT ?"
    rows = connection.execute(query, (after, ROWS_AT_ONCE)).fetchall()
    for place, source, standard, text in rows:
        document = orjson.loads(text)
        kept = relieved(standard, document, gone, known.get((source, standard), NO_NUMBERS))
        if kept is None:
            connection.execute("DELETE FROM mapped WHERE place = ?", (place,))
        elif kept is not document:
            connection.execute("UPDATE mapped SET document = ? WHERE place = ?", (orjson.dumps(kept), place))
    return rows[-1][0] if rows else None


def _relieve_statements(connection: sqlite3.Connection, gone: Erasures, after: int) -> int | None:
    query = "SELECT place, source, statement FROM statements WHERE place > ? ORDER BY place LIMIT ?"
    rows = connection.execute(query, (after, ROWS_AT_ONCE)).fetchall()
    for place, source, text in rows:
        statement = orjson.loads(text)
        kept = relieved("xapi", statement, gone)
        if kept is statement:
            continue
        for kind, name in set(mentions(statement)) - set(mentions(kept) if kept else ()):
            where = "source = ? AND kind = ? AND name = ? AND place = ?"
            connection.execute(f"DELETE FROM mentions WHERE {where}", (source, kind, name, place))
        if kept is None:
            connection.execute("DELETE FROM statements WHERE place = ?", (place,))
            _drop_attachments(connection, source, statement)
        else:
            connection.execute("UPDATE statements SET statement = ? WHERE place = ?", (orjson.dumps(kept), place))
    return rows[-1][0] if rows else None


def _drop_attachments(connection: sqlite3.Connection, source: str, statement: dict[str, object]) -> None:
    """Those of a statement that is gone, where no other one has them too."""
    for sha2 in sha2s(statement):
        others = "SELECT 1 FROM statements WHERE source = ? AND instr(statement, ?)"
        if not connection.execute(others, (source, sha2)).fetchall():
            connection.execute("DELETE FROM attachments WHERE source = ? AND sha2 = ?", (source, sha2))


def sha2s(statement: dict[str, object]) -> set[str]:
    """By which hashes the attachments of a statement are known."""
    found = set()
    for holder in (statement, statement.get("object")):
        listed = holder.get("attachments") if isinstance(holder, dict) else None
        found |= {str(one["sha2"]).lower() for one in (listed if isinstance(listed, list) else ())}
    return found


def _drop_documents(connection: sqlite3.Connection, gone: Erasures) -> None:
    for (agent,) in connection.execute("SELECT DISTINCT agent FROM documents WHERE agent <> ''").fetchall():
        if gone.among(ids_of(agent)):
            connection.execute("DELETE FROM documents WHERE agent = ?", (agent,))
