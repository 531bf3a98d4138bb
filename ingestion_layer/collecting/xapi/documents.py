"""Documents that activities keep: their state, and profiles of activities and agents, with preconditions by ETag."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Response

from ingestion_layer.collecting.erasing import Erasing
from ingestion_layer.collecting.journal import Change, Journal
from ingestion_layer.collecting.people import ids_of
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.xapi.actors import actor_key, check_actor
from ingestion_layer.collecting.xapi.exchange import Exchange, parsed
from ingestion_layer.collecting.xapi.search import utc
from ingestion_layer.collecting.xapi.statements import now
from ingestion_layer.collecting.xapi.values import a_moment, a_uuid, an_iri, wrong


@dataclass(frozen=True)
class Kind:
    """A resource of documents: whose they are, what its ids are called, and whether a document is replaced only by who
    knows it.
    """

    name: str
    owners: tuple[str, ...]
    id: str
    guarded: bool


KINDS = {
    "activities/state": Kind("state", ("activityId", "agent"), "stateId", False),
    "activities/profile": Kind("activity profile", ("activityId",), "profileId", True),
    "agents/profile": Kind("agent profile", ("agent",), "profileId", True),
}
_COLUMNS = "source = ? AND kind = ? AND owner = ? AND agent = ?"


class Documents:
    """The documents of every source."""

    def __init__(self, journal: Journal, erasing: Erasing):
        self._journal, self._erasing = journal, erasing

    async def serve(self, asked: Exchange, kind: Kind) -> Response:
        """Answer a request for documents."""
        names = (*kind.owners, kind.id, *(("registration",) if kind.name == "state" else ()))
        asked.only(*names, *(("since",) if asked.method in ("GET", "HEAD") else ()))
        owner = (asked.source.name, kind.name, self._activity(asked, kind), self._agent(asked, kind))
        registration = asked.parameters.get("registration")
        if registration is not None:
            registration = a_uuid(registration, "registration")
        if kind.id not in asked.parameters:
            return await self._several(asked, kind, owner, registration)
        self._erasing.check()
        place = (*owner, registration or "", asked.parameters[kind.id])
        if asked.method in ("GET", "HEAD"):
            return self._get(kind, place)
        known = self._known(place)
        self._check(asked, kind, known)
        if asked.method == "DELETE":
            await self._write([(f"DELETE FROM documents WHERE {_COLUMNS} AND registration = ? AND id = ?", place)])
        else:
            content, media_type = asked.body, asked.headers.get("content-type", "application/octet-stream")
            if asked.method == "POST":
                content, media_type = _merged(asked, known)
            etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            values = (*place, media_type, etag, now(), content)
            if self._erasing.gone.among(ids_of(owner[3])):
                return asked.answer(204)  # acknowledged, and not kept
            await self._write([("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)])
        return asked.answer(204)

    async def _write(self, changes: list[Change]) -> None:
        await self._journal.commit(changes)

    def _known(self, place: tuple[str, ...]) -> tuple[Any, ...] | None:
        query = f"SELECT type, etag, updated, content FROM documents WHERE {_COLUMNS} AND registration = ? AND id = ?"
        found = self._journal.rows(query, place)
        return found[0] if found else None

    def _get(self, kind: Kind, place: tuple[str, ...]) -> Response:
        known = self._known(place)
        if known is None:
            raise Refused(404, kind.id, f"must be of a document that is there; got {place[-1][:80]!r}")
        media_type, etag, updated, content = known
        return Response(content, 200, {"ETag": f'"{etag}"', "Last-Modified": updated, "Content-Type": media_type})

    async def _several(self, asked: Exchange, kind: Kind, owner: tuple[str, ...], registration: str | None) -> Response:
        where, values = _COLUMNS, list(owner)
        if registration is not None:
            where += " AND registration = ?"
            values.append(registration)
        if asked.method == "DELETE" and kind.name == "state":
            await self._write([(f"DELETE FROM documents WHERE {where}", tuple(values))])
            return asked.answer(204)
        if asked.method not in ("GET", "HEAD"):
            asked.needs(kind.id)
        if "since" in asked.parameters:
            where += " AND updated > ?"
            values.append(utc(a_moment(asked.parameters["since"], "since")))
        rows = self._journal.rows(f"SELECT DISTINCT id FROM documents WHERE {where} ORDER BY updated", values)
        return asked.answer(200, [row[0] for row in rows])

    @staticmethod
    def _activity(asked: Exchange, kind: Kind) -> str:
        if "activityId" not in kind.owners:
            return ""
        return an_iri(asked.needs("activityId"), "activityId")

    @staticmethod
    def _agent(asked: Exchange, kind: Kind) -> str:
        if "agent" not in kind.owners:
            return ""
        return agent_of(asked)[1]

    @staticmethod
    def _check(asked: Exchange, kind: Kind, known: tuple[Any, ...] | None) -> None:
        """412 where a precondition doesn't hold; 409 where there must be one to replace what is there."""
        wanted, unwanted = asked.headers.get("if-match"), asked.headers.get("if-none-match")
        etag = known[1] if known else None
        if wanted is not None and not _matches(wanted, etag):
            raise Refused(412, "If-Match", "must be the ETag of the document that is there")
        if unwanted is not None and _matches(unwanted, etag):
            raise Refused(412, "If-None-Match", "must not match the document that is there")
        guarded = kind.guarded or asked.version.startswith("2")
        if guarded and asked.method == "PUT" and wanted is None and unwanted is None:
            if known:
                raise Refused(409, "If-Match", "must tell the ETag of what is replaced: GET it, and send that along")
            if kind.guarded:
                wrong("If-None-Match", "there, '*' for a document that is new; or If-Match")


def agent_of(asked: Exchange) -> tuple[dict[str, Any], str]:
    """The agent that a request names, and the text by which it is known."""
    agent = parsed(asked.needs("agent"), "agent")
    check_actor(agent, "agent")
    key = actor_key(agent)
    if key is None:
        wrong("agent", "an agent or a group with an identifier")
    return agent, key


def _matches(header: str, etag: str | None) -> bool:
    if etag is None:
        return False
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    return "*" in tags or etag in tags


def _merged(asked: Exchange, known: tuple[Any, ...] | None) -> tuple[bytes, str]:
    """What a POST makes of a document: the members of both, where both are JSON objects; 400 where one is none."""
    media_type = asked.headers.get("content-type", "application/octet-stream")
    is_json = asked.media_type == "application/json"
    new = parsed(asked.body, "body") if is_json else {}
    if not isinstance(new, dict):
        wrong("body", "a JSON object")
    if known is None:
        return asked.body, media_type
    if not is_json or known[0].partition(";")[0].strip().lower() != "application/json":
        wrong("Content-Type", "application/json, and that of the document that is there too", asked.media_type)
    old = parsed(known[3], "document")
    if not isinstance(old, dict):
        wrong("document", "a JSON object where another is added to it")
    return orjson.dumps(old | new), "application/json"
