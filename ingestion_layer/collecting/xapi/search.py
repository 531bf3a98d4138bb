"""Statements that are asked for: one by its id, or those that a query finds, page by page."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Response

from ingestion_layer.collecting.journal import Journal
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.xapi.actors import actor_key, check_actor
from ingestion_layer.collecting.xapi.exchange import Exchange, parsed
from ingestion_layer.collecting.xapi.formats import FORMATS, formatted, languages_of
from ingestion_layer.collecting.xapi.multipart import BOUNDARY, Attachment, written
from ingestion_layer.collecting.xapi.values import a_moment, a_uuid, an_iri, wrong

PAGE = 100
FILTERS = ("agent", "verb", "activity", "registration", "related_activities", "related_agents")
_ONE = ("statementId", "voidedStatementId")
_SHOWN = ("format", "attachments")
_QUERY = (*FILTERS, "since", "until", "limit", "ascending", *_SHOWN)


def get(journal: Journal, asked: Exchange) -> Response:
    """One statement, or a page of them."""
    if "more" in asked.parameters:
        asked.only("more")
        asked.parameters = _continued(asked.parameters["more"])
        return _page(journal, asked)
    if any(name in asked.parameters for name in _ONE):
        return _one(journal, asked)
    asked.only(*_ONE, *_QUERY, "more")
    return _page(journal, asked)


def _one(journal: Journal, asked: Exchange) -> Response:
    name = _ONE[0] if _ONE[0] in asked.parameters else _ONE[1]
    asked.only(name, *_SHOWN)
    key = a_uuid(asked.parameters[name], name)
    rows = journal.rows(
        "SELECT statement, stored FROM statements WHERE source = ? AND id = ? AND voided = ?",
        (asked.source.name, key, name == _ONE[1]),
    )
    if not rows:
        raise Refused(404, name, f"must be of a statement that is {'not ' if name == _ONE[0] else ''}voided; got {key}")
    found = formatted(parsed(rows[0][0], "statement"), *_form(asked))
    answer = _answer(journal, asked, orjson.dumps(found), [found])
    answer.headers["Last-Modified"] = str(rows[0][1])
    return answer


def _page(journal: Journal, asked: Exchange) -> Response:
    parameters = asked.parameters
    limit = _limit(parameters.get("limit", "0"))
    ascending = _flag(parameters, "ascending")
    conditions, values = ["source = ?", "voided = 0"], [asked.source.name]
    for name, sign in (("since", ">"), ("until", "<=")):
        if name in parameters:
            conditions.append(f"stored {sign} ?")
            values.append(utc(a_moment(parameters[name], name)))
    if "behind" in parameters:
        conditions.append(f"place {'>' if ascending else '<'} ?")
        values.append(parameters["behind"])
    hits, wanted = _hits(asked)
    if hits:
        conditions.append("place IN (SELECT place FROM hits)")
    query = (
        f"{hits} SELECT place, statement FROM statements WHERE {' AND '.join(conditions)} "
        f"ORDER BY place {'ASC' if ascending else 'DESC'} LIMIT {limit + 1}"
    )
    rows = journal.rows(query, (*wanted, *values))
    form = _form(asked)
    found = [formatted(parsed(statement, "statement"), *form) for _, statement in rows[:limit]]
    more = ""
    if len(rows) > limit:
        following = {**parameters, "behind": rows[limit - 1][0]}
        more = "/xapi/statements?more=" + base64.urlsafe_b64encode(orjson.dumps(following)).decode().rstrip("=")
    return _answer(journal, asked, orjson.dumps({"statements": found, "more": more}), found)


def _hits(asked: Exchange) -> tuple[str, list[Any]]:
    """SQL of the places that the filters find, and of the statements that refer to those."""
    parameters, name = asked.parameters, asked.source.name
    conditions, values = [], list[Any]()
    if "verb" in parameters:
        conditions.append("verb = ?")
        values.append(an_iri(parameters["verb"], "verb"))
    if "registration" in parameters:
        conditions.append("registration = ?")
        values.append(a_uuid(parameters["registration"], "registration"))
    related = {kind: _flag(parameters, flag) for kind, flag in _RELATED.items()}
    mentioned = {}
    if "agent" in parameters:
        agent = parsed(parameters["agent"], "agent")
        check_actor(agent, "agent")
        key = actor_key(agent)
        if key is None:
            wrong("agent", "an agent or a group with an identifier")
        mentioned["agent"] = key
    if "activity" in parameters:
        mentioned["activity"] = an_iri(parameters["activity"], "activity")
    for kind, key in mentioned.items():
        conditions.append("place IN (SELECT place FROM mentions WHERE source = ? AND kind = ? AND name = ?)")
        values += [name, f"related {kind}" if related[kind] else kind, key]
    if not conditions:
        return "", []
    return (
        "WITH RECURSIVE hits (place, id) AS (SELECT place, id FROM statements WHERE source = ? AND "
        f"{' AND '.join(conditions)} UNION SELECT s.place, s.id FROM statements s JOIN hits h ON s.refers = h.id "
        "WHERE s.source = ?)"
    ), [name, *values, name]


_RELATED = {"agent": "related_agents", "activity": "related_activities"}


def _answer(journal: Journal, asked: Exchange, body: bytes, found: list[dict[str, Any]]) -> Response:
    if not _flag(asked.parameters, "attachments"):
        return Response(body, media_type="application/json")
    wanted = {
        told["sha2"].lower()
        for statement in found
        for holder in (statement, statement["object"])
        for told in holder.get("attachments", ())
    }
    query = "SELECT sha2, type, content FROM attachments WHERE source = ? AND sha2 = ?"
    parts = [Attachment(*row) for sha2 in sorted(wanted) for row in journal.rows(query, (asked.source.name, sha2))]
    return Response(written(body, parts), headers={"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"})


def _form(asked: Exchange) -> tuple[str, list[str]]:
    form = asked.parameters.get("format", "exact")
    if form not in FORMATS:
        wrong("format", f"one of {', '.join(FORMATS)}", form)
    return form, languages_of(asked.headers.get("accept-language", ""))


def _flag(parameters: dict[str, Any], name: str) -> bool:
    text = str(parameters.get(name, "false")).lower()
    if text not in ("true", "false"):
        wrong(name, "true or false", text)
    return text == "true"


def _limit(text: str) -> int:
    if not text.isdigit():
        wrong("limit", "a whole number of 0 or more", text)
    return min(int(text) or PAGE, PAGE)


def utc(text: str) -> str:
    """A moment as the store writes it."""
    try:
        found = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        wrong("since", "a time of ISO 8601", text)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _continued(token: str) -> dict[str, Any]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if isinstance(found, dict) and isinstance(found["behind"], int):
            return found
    except (ValueError, KeyError):
        pass
    wrong("more", "what a page of statements told", token)
