"""Statements that are sent: checked, compared with those that are known, and taken."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from fastapi import Response

from ingestion_layer.collecting.desk import Desk
from ingestion_layer.collecting.intake import Intake, Intakes, Parcel
from ingestion_layer.collecting.journal import Change
from ingestion_layer.collecting.kafka_delivery import LARGEST_EVENT
from ingestion_layer.collecting.people import relieved
from ingestion_layer.collecting.purge import sha2s
from ingestion_layer.collecting.refusals import Refused
from ingestion_layer.collecting.xapi import statements as kept
from ingestion_layer.collecting.xapi.exchange import Exchange, parsed
from ingestion_layer.collecting.xapi.multipart import Attachment, check_attachments, parts_of
from ingestion_layer.collecting.xapi.validation import check_statement
from ingestion_layer.collecting.xapi.values import a_uuid, wrong

STANDARD = "xapi"
MOST_STATEMENTS = 10_000


class Reception:
    """Takes the statements of every source."""

    def __init__(self, desk: Desk, intakes: Intakes):
        self._desk, self._intakes = desk, intakes
        # Of each source the statements that are on their way, by id.
        self._coming: dict[tuple[str, str], dict[str, Any]] = {}

    def through(self, source: str) -> str:
        """The moment up to which every statement of a source can be found."""
        on_their_way = [str(one["stored"]) for (name, _), one in self._coming.items() if name == source]
        return min([kept.now(), *on_their_way])

    async def put(self, asked: Exchange) -> Response:
        """One statement under the id in the address: 204."""
        asked.only("statementId")
        key = a_uuid(asked.needs("statementId"), "statementId")
        content, attachments = _content(asked)
        told = parsed(content, "body")
        if not isinstance(told, dict):
            wrong("body", "one statement")
        if "id" in told and a_uuid(told["id"], "statement.id") != key:
            wrong("statement.id", "that of the address", told["id"])
        await self._take(asked, [{**told, "id": key}], attachments)
        return asked.answer(204)

    async def post(self, asked: Exchange) -> Response:
        """Statements, one or an array: 200 with their ids."""
        asked.only()
        content, attachments = _content(asked)
        told = parsed(content, "body")
        found = told if isinstance(told, list) else [told]
        if len(found) > MOST_STATEMENTS:
            raise Refused(413, "body", f"must hold at most {MOST_STATEMENTS} statements; got {len(found)}")
        return asked.answer(200, await self._take(asked, found, attachments))

    async def _take(self, asked: Exchange, told: list[Any], attachments: list[Attachment]) -> list[str]:
        source, accounts = asked.source, self._desk.accounts
        try:
            for place, statement in enumerate(told):
                check_statement(statement, f"statement[{place}]" if len(told) > 1 else "statement")
            check_attachments(told, attachments)
            intake = self._intakes.of(source)
            self._desk.gate.admit(source, len(told))
            stored = kept.now()
            own = [statement["id"].lower() for statement in told if "id" in statement]
            if len(set(own)) < len(own):
                wrong("statement.id", "different from the others in the request")
            made, identities = kept.completed(told, source, asked.version, stored, intake.key)
            new, waiting = self._unknown(intake, made, ["timestamp" in one for one in told])
        except Refused as refusal:
            accounts.settle(source, **{"deferred" if refusal.status == 429 else "rejected": max(1, len(told))})
            raise
        gone = self._intakes.erasing.gone
        stays = [one for statement in new if (one := relieved(STANDARD, statement, gone)) is not None]
        changes: list[Change] = [change for statement in stays for change in kept.kept(statement, source)]
        wanted = {sha2 for statement in stays for sha2 in sha2s(statement)}
        changes += [
            ("INSERT OR IGNORE INTO attachments VALUES (?, ?, ?, ?)", (source.name, *attachment))
            for attachment in attachments
            if attachment.sha2 in wanted
        ]
        keys = [statement["id"] for statement in new]
        documents = [{**statement, "id": identities.get(statement["id"], statement["id"])} for statement in new]
        self._coming.update({(source.name, one["id"]): one for one in new})
        try:
            parcel = Parcel(documents, keys, changes)
            await intake.take(parcel, waiting)
        except Refused as refusal:
            accounts.settle(source, **{"rejected" if refusal.status == 413 else "deferred": len(made)})
            raise
        finally:
            self._forget(intake, keys)
        accepted = len(new) - parcel.erased
        accounts.settle(source, accepted=accepted, erased=parcel.erased, duplicate=len(made) - len(new))
        return [statement["id"] for statement in made]

    def _unknown(
        self, intake: Intake, made: list[dict[str, Any]], timed: list[bool]
    ) -> tuple[list[dict[str, Any]], list[asyncio.Task[None]]]:
        """The statements that are new, and what those that are on their way wait for; 409 for a different one."""
        name = intake.source.name
        new: dict[str, dict[str, Any]] = {}
        waiting = []
        for statement, its in zip(made, timed, strict=True):
            key = statement["id"]
            task = intake.under_way(key)
            known = new.get(key) or (self._coming.get((name, key)) if task else None) or self.known(name, key)
            if known is None:
                new[key] = statement
            elif not kept.same(statement, known, its):
                raise Refused(409, "statement.id", f"must be of one statement; {key} is of a different one")
            elif task:
                waiting.append(task)
        return list(new.values()), waiting

    def known(self, source: str, key: str) -> dict[str, Any] | None:
        """The statement of an id that is kept."""
        query = "SELECT statement FROM statements WHERE source = ? AND id = ?"
        found = self._intakes.journal.rows(query, (source, key))
        return cast("dict[str, Any]", parsed(found[0][0], "statement")) if found else None

    def _forget(self, intake: Intake, keys: list[str]) -> None:
        """Statements are found in the journal once they have arrived there."""

        def forget(_: object = None) -> None:
            for key in keys:
                self._coming.pop((intake.source.name, key), None)

        task = intake.under_way(keys[0]) if keys else None
        if task is None:
            forget()
        else:
            task.add_done_callback(forget)


def _content(asked: Exchange) -> tuple[bytes, list[Attachment]]:
    """The statements' JSON and the attachments of a body."""
    if asked.media_type == "multipart/mixed":
        content, attachments = parts_of(asked.headers["content-type"], asked.body)
    elif asked.media_type == "application/json":
        content, attachments = asked.body, []
    else:
        wrong("Content-Type", "application/json or multipart/mixed", asked.media_type)
    if len(content) > LARGEST_EVENT:
        raise Refused(413, "body", f"must have at most {LARGEST_EVENT} bytes beside its attachments")
    return content, attachments
