"""What is a statement: every rule of xAPI that a statement's own JSON can break."""

from __future__ import annotations

import re
from typing import Any

from ingestion_layer.collecting.xapi.activities import check_activity
from ingestion_layer.collecting.xapi.actors import IDENTIFIERS, check_actor, check_agent, check_group
from ingestion_layer.collecting.xapi.values import (
    a_duration,
    a_flag,
    a_language,
    a_language_map,
    a_list,
    a_moment,
    a_number,
    a_text,
    a_uuid,
    an_iri,
    an_object,
    extensions,
    wrong,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_SUB = frozenset(("objectType", "actor", "verb", "object", "result", "context", "timestamp", "attachments"))
_STATEMENT = (_SUB - {"objectType"}) | {"id", "stored", "authority", "version"}
_RESULT = frozenset(("score", "success", "completion", "response", "duration", "extensions"))
_SCORE = frozenset(("scaled", "raw", "min", "max"))
_CONTEXT = frozenset(
    ("registration", "instructor", "team", "contextActivities", "revision", "platform", "language", "statement")
) | {"extensions", "contextAgents", "contextGroups"}
_ACTIVITIES = ("parent", "grouping", "category", "other")
_ATTACHMENT = frozenset(("usageType", "display", "description", "contentType", "length", "sha2", "fileUrl"))
_VERSION = re.compile(r"(1\.0(\.\d+)?|2\.0\.\d+)(-[\w.]+)?")
_SHA2 = re.compile(r"[0-9a-f]{56,128}", re.I)


def check_statement(value: Any, name: str = "statement") -> None:
    """400 for what is no statement, with the place of what is wrong."""
    an_object(value, name, _STATEMENT)
    if "id" in value:
        a_uuid(value["id"], f"{name}.id")
    if "version" in value and not (isinstance(value["version"], str) and _VERSION.fullmatch(value["version"])):
        wrong(f"{name}.version", "1.0.x or 2.0.x", value["version"])
    if "stored" in value:
        a_moment(value["stored"], f"{name}.stored")
    if "authority" in value:
        _check_authority(value["authority"], f"{name}.authority")
    _check_body(value, name)
    an = value["object"]
    if an.get("objectType") == "SubStatement":
        _check_substatement(an, f"{name}.object")
    if value["verb"]["id"] == VOIDED and an.get("objectType") != "StatementRef":
        wrong(f"{name}.object", "a StatementRef where a statement is voided")


def _check_authority(value: Any, name: str) -> None:
    check_actor(value, name)
    known = any(field in value for field in IDENTIFIERS)
    if value.get("objectType") == "Group" and (known or len(value.get("member", ())) != 2):
        wrong(name, "an agent, or a group of two members without an identifier")


def _check_body(value: dict[str, Any], name: str) -> None:
    _without_null(value, name)
    for field in ("actor", "verb", "object"):
        if field not in value:
            wrong(f"{name}.{field}", "there")
    check_actor(value["actor"], f"{name}.actor")
    verb = an_object(value["verb"], f"{name}.verb", frozenset(("id", "display")))
    an_iri(verb.get("id"), f"{name}.verb.id")
    if "display" in verb:
        a_language_map(verb["display"], f"{name}.verb.display")
    kind = _check_object(value["object"], f"{name}.object")
    if "result" in value:
        _check_result(value["result"], f"{name}.result")
    if "context" in value:
        _check_context(value["context"], f"{name}.context", kind)
    if "timestamp" in value:
        a_moment(value["timestamp"], f"{name}.timestamp")
    if "attachments" in value:
        for place, attachment in enumerate(a_list(value["attachments"], f"{name}.attachments")):
            _check_attachment(attachment, f"{name}.attachments[{place}]")


def _check_object(value: Any, name: str) -> str:
    kind = an_object(value, name).get("objectType", "Activity")
    if kind == "Activity":
        check_activity(value, name)
    elif kind == "Agent":
        check_agent(value, name)
    elif kind == "Group":
        check_group(value, name)
    elif kind == "StatementRef":
        _check_reference(value, name)
    elif kind != "SubStatement":
        wrong(f"{name}.objectType", "Activity, Agent, Group, StatementRef or SubStatement", kind)
    return str(kind)


def _check_reference(value: Any, name: str) -> None:
    an_object(value, name, frozenset(("objectType", "id")))
    if value.get("objectType") != "StatementRef":
        wrong(f"{name}.objectType", "StatementRef", value.get("objectType"))
    a_uuid(value.get("id"), f"{name}.id")


def _check_substatement(value: dict[str, Any], name: str) -> None:
    an_object(value, name, _SUB)
    _check_body(value, name)
    if value["object"].get("objectType") == "SubStatement":
        wrong(f"{name}.object", "anything but another SubStatement")


def _check_result(value: Any, name: str) -> None:
    an_object(value, name, _RESULT)
    for field in ("success", "completion"):
        if field in value:
            a_flag(value[field], f"{name}.{field}")
    if "response" in value:
        a_text(value["response"], f"{name}.response")
    if "duration" in value:
        a_duration(value["duration"], f"{name}.duration")
    if "extensions" in value:
        extensions(value["extensions"], f"{name}.extensions")
    if "score" not in value:
        return
    score = an_object(value["score"], f"{name}.score", _SCORE)
    for field in score:
        a_number(score[field], f"{name}.score.{field}")
    if not -1 <= score.get("scaled", 0) <= 1:
        wrong(f"{name}.score.scaled", "from -1 to 1", score["scaled"])
    low, high, raw = score.get("min"), score.get("max"), score.get("raw")
    if low is not None and high is not None and low >= high:
        wrong(f"{name}.score.min", "below max", low)
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        wrong(f"{name}.score.raw", "from min to max", raw)


def _check_context(value: Any, name: str, kind: str) -> None:
    an_object(value, name, _CONTEXT)
    if "registration" in value:
        a_uuid(value["registration"], f"{name}.registration")
    if "instructor" in value:
        check_actor(value["instructor"], f"{name}.instructor")
    if "team" in value:
        check_group(value["team"], f"{name}.team")
    if "contextActivities" in value:
        lists = an_object(value["contextActivities"], f"{name}.contextActivities", frozenset(_ACTIVITIES))
        for field, found in lists.items():
            for activity in found if isinstance(found, list) else [found]:
                check_activity(activity, f"{name}.contextActivities.{field}")
    for field in ("revision", "platform"):
        if field in value:
            a_text(value[field], f"{name}.{field}")
            if kind != "Activity":
                wrong(f"{name}.{field}", "absent where the object is no activity")
    if "language" in value:
        a_language(value["language"], f"{name}.language")
    if "statement" in value:
        _check_reference(value["statement"], f"{name}.statement")
    if "extensions" in value:
        extensions(value["extensions"], f"{name}.extensions")
    for field, member in (("contextAgents", "agent"), ("contextGroups", "group")):
        for found in a_list(value.get(field, []), f"{name}.{field}"):
            an_object(found, f"{name}.{field}", frozenset(("objectType", member, "relevantTypes")))
            if found.get("objectType") != field.removesuffix("s"):
                wrong(f"{name}.{field}.objectType", field.removesuffix("s"), found.get("objectType"))
            (check_agent if member == "agent" else check_group)(found.get(member), f"{name}.{field}.{member}")
            if found.get("relevantTypes") == []:
                wrong(f"{name}.{field}.relevantTypes", "absent where it is empty")
            for kinds in a_list(found.get("relevantTypes", []), f"{name}.{field}.relevantTypes"):
                an_iri(kinds, f"{name}.{field}.relevantTypes")


def _check_attachment(value: Any, name: str) -> None:
    an_object(value, name, _ATTACHMENT)
    an_iri(value.get("usageType"), f"{name}.usageType")
    a_language_map(value.get("display"), f"{name}.display")
    if "description" in value:
        a_language_map(value["description"], f"{name}.description")
    if not re.fullmatch(r"[\w.+-]+/[\w.+*-]+(\s*;.*)?", a_text(value.get("contentType"), f"{name}.contentType")):
        wrong(f"{name}.contentType", "a media type", value["contentType"])
    if type(value.get("length")) is not int or value["length"] < 0:
        wrong(f"{name}.length", "a whole number of bytes", value.get("length"))
    if "fileUrl" in value:
        an_iri(value["fileUrl"], f"{name}.fileUrl")
    if not _SHA2.fullmatch(a_text(value.get("sha2"), f"{name}.sha2")):
        wrong(f"{name}.sha2", "a SHA-2 in hex", value["sha2"])


def _without_null(value: Any, name: str) -> None:
    """400 for a null anywhere but in extensions."""
    for field, found in value.items():
        if found is None:
            wrong(f"{name}.{field}", "anything but null")
        if isinstance(found, dict) and field != "extensions":
            _without_null(found, f"{name}.{field}")
        elif isinstance(found, list):
            for member in found:
                if isinstance(member, dict):
                    _without_null(member, f"{name}.{field}")
