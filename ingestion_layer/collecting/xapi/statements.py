"""Statements as they are kept: completed by what a store adds, compared, and found by what they mention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from ingestion_layer.collecting.journal import Change
from ingestion_layer.collecting.sources import Source
from ingestion_layer.collecting.xapi.actors import actor_key
from ingestion_layer.collecting.xapi.validation import VOIDED
from ingestion_layer.replay.identity import canonical, uuid_of

AUTHORITIES = "https://learning-analytics.invalid/sources"
_CONTENT = ("actor", "verb", "object", "result", "context")
_ADDED = frozenset(("id", "stored", "authority", "version"))


def now() -> str:
    """This moment as the store writes it; texts of it sort as moments do."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def normalised(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement whose context activities are arrays, and whose id is in small letters."""
    made = dict(statement)
    if "id" in made:
        made["id"] = made["id"].lower()
    if made["object"].get("objectType") == "SubStatement":
        made["object"] = normalised(made["object"])
    lists = made.get("context", {}).get("contextActivities")
    if lists:
        arrays = {name: found if isinstance(found, list) else [found] for name, found in lists.items()}
        made["context"] = {**made["context"], "contextActivities": arrays}
    return made


def completed(
    told: Sequence[dict[str, Any]],
    source: Source,
    version: str,
    stored: str,
    key_of: Callable[[dict[str, Any], int], str | None],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Statements of a request with what a store adds: an id made of the content where there is none, so that a second
    try has the same one. Of those ids also the identities of the events, which are those that files give.
    """
    made, equal = [], Counter[bytes]()
    identities = {}
    for statement in told:
        one = normalised(statement)
        one.setdefault("timestamp", stored)
        if "id" not in one:
            content = canonical([one.get(name) for name in ("timestamp", *_CONTENT)])
            key = key_of(one, equal[content]) or uuid_of(b"%s\x1f%d" % (content, equal[content]))
            one["id"] = f"{key[:14]}5{key[15:]}"  # clients older than version 8 take it for a name's
            identities[one["id"]] = key
            equal[content] += 1
        one["stored"] = stored
        one["authority"] = {"objectType": "Agent", "account": {"homePage": AUTHORITIES, "name": source.name}}
        one.setdefault("version", version if version.startswith("2") else "1.0.0")
        made.append(one)
    return made, identities


def same(new: dict[str, Any], known: dict[str, Any], timed: bool) -> bool:
    """Whether two statements of one id say the same; times count where the new one tells one (`timed`)."""
    if timed and _moment(new["timestamp"]) != _moment(known["timestamp"]):
        return False
    return _said(new) == _said(known)


def _said(statement: dict[str, Any]) -> bytes:
    return canonical(_bare({name: v for name, v in statement.items() if name not in _ADDED and name != "timestamp"}))


def _bare(value: Any) -> Any:
    """Without what a store may change, descriptions of activities and verbs, and with members in one order."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    bare = {name: _bare(found) for name, found in value.items() if name not in ("definition", "display")}
    if bare.get("objectType") in ("Activity", "Agent"):  # what it is where nothing is told
        del bare["objectType"]
    if isinstance(bare.get("member"), list):
        bare["member"].sort(key=canonical)
    return bare


def _moment(text: str) -> object:
    try:
        found = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return text
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def kept(statement: dict[str, Any], source: Source) -> list[Change]:
    """The changes by which a statement is kept, and what it voids is voided."""
    name, key, target = source.name, statement["id"], statement["object"]
    refers = target["id"].lower() if target.get("objectType") == "StatementRef" else None
    registration = statement.get("context", {}).get("registration")
    changes: list[Change] = [
        (
            "INSERT INTO statements (source, id, stored, verb, registration, refers, voided, statement) "
            "SELECT ?, ?, ?, ?, ?, ?, "
            "EXISTS (SELECT 1 FROM statements WHERE source = ? AND refers = ? AND verb = ?), ?",
            (
                *(name, key, statement["stored"], statement["verb"]["id"]),
                *(registration.lower() if registration else None, refers, name, key),
                *(VOIDED if statement["verb"]["id"] != VOIDED else "", orjson.dumps(statement)),
            ),
        )
    ]
    for kind, mentioned in sorted(set(mentions(statement))):
        changes.append(
            (
                "INSERT OR IGNORE INTO mentions SELECT ?, ?, ?, place FROM statements WHERE source = ? AND id = ?",
                (name, kind, mentioned, name, key),
            )
        )
    if statement["verb"]["id"] == VOIDED:
        changes.append(
            (
                "UPDATE statements SET voided = 1 WHERE source = ? AND id = ? AND verb <> ?",
                (name, refers, VOIDED),
            )
        )
    return changes


def mentions(statement: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Agents and activities by which a statement is found: its own, and related ones."""
    for kind, mentioned, own in _mentioned(statement, True):
        if own:
            yield kind, mentioned
        yield f"related {kind}", mentioned


def _mentioned(part: dict[str, Any], own: bool) -> Iterator[tuple[str, str, bool]]:
    target, context = part["object"], part.get("context", {})
    agents = [(part["actor"], own)]
    kind = target.get("objectType", "Activity")
    if kind in ("Agent", "Group"):
        agents.append((target, own))
    elif kind == "Activity":
        yield "activity", target["id"], own
    elif kind == "SubStatement":
        yield from _mentioned(target, False)
    agents += [(context[name], False) for name in ("instructor", "team") if name in context]
    agents += [(one["agent"], False) for one in context.get("contextAgents", ())]
    agents += [(one["group"], False) for one in context.get("contextGroups", ())]
    if "authority" in part:
        agents.append((part["authority"], False))
    for agent, its in agents:
        for one in (agent, *agent.get("member", ())):
            if key := actor_key(one):
                yield "agent", key, its
    for found in context.get("contextActivities", {}).values():
        for activity in found if isinstance(found, list) else [found]:
            yield "activity", activity["id"], False
