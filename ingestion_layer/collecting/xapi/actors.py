"""Agents and groups: what is one, and the one text by which it is known."""

from __future__ import annotations

from typing import Any

from ingestion_layer.collecting.xapi.values import (
    a_list,
    a_mailbox,
    a_sha1,
    a_text,
    an_iri,
    an_object,
    wrong,
)

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_AGENT = frozenset(("objectType", "name", *IDENTIFIERS))
_GROUP = _AGENT | {"member"}
_ACCOUNT = frozenset(("homePage", "name"))


def check_actor(value: Any, name: str) -> None:
    """400 for what is neither an agent nor a group."""
    kind = an_object(value, name).get("objectType", "Agent")
    if kind == "Group":
        check_group(value, name)
    elif kind == "Agent":
        check_agent(value, name)
    else:
        wrong(f"{name}.objectType", "Agent or Group", kind)


def check_agent(value: Any, name: str) -> None:
    """400 for what is no agent with exactly one identifier."""
    an_object(value, name, _AGENT)
    if value.get("objectType", "Agent") != "Agent":
        wrong(f"{name}.objectType", "Agent", value["objectType"])
    if _identified(value, name) != 1:
        wrong(name, f"known by exactly one of {', '.join(IDENTIFIERS)}")


def check_group(value: Any, name: str) -> None:
    """400 for what is no group: one known by one identifier, or by its members."""
    an_object(value, name, _GROUP)
    if value.get("objectType") != "Group":
        wrong(f"{name}.objectType", "Group", value.get("objectType"))
    known = _identified(value, name)
    if known > 1:
        wrong(name, f"known by at most one of {', '.join(IDENTIFIERS)}")
    if "member" in value:
        for place, member in enumerate(a_list(value["member"], f"{name}.member")):
            check_agent(member, f"{name}.member[{place}]")
    elif not known:
        wrong(f"{name}.member", "there where a group has no identifier")


def _identified(value: dict[str, Any], name: str) -> int:
    if "name" in value:
        a_text(value["name"], f"{name}.name")
    if "mbox" in value:
        a_mailbox(value["mbox"], f"{name}.mbox")
    if "mbox_sha1sum" in value:
        a_sha1(value["mbox_sha1sum"], f"{name}.mbox_sha1sum")
    if "openid" in value:
        an_iri(value["openid"], f"{name}.openid")
    if "account" in value:
        account = an_object(value["account"], f"{name}.account", _ACCOUNT)
        an_iri(account.get("homePage"), f"{name}.account.homePage")
        if not a_text(account.get("name"), f"{name}.account.name"):
            wrong(f"{name}.account.name", "a name that isn't empty")
    return sum(identifier in value for identifier in IDENTIFIERS)


def actor_key(value: Any) -> str | None:
    """The text by which an agent or a group is known; None where it has no identifier."""
    if not isinstance(value, dict):
        return None
    for name in IDENTIFIERS[:3]:
        if isinstance(value.get(name), str):
            return f"{name}={value[name]}"
    account = value.get("account")
    if isinstance(account, dict):
        return f"account={account.get('homePage')}|{account.get('name')}"
    return None


def person(agent: dict[str, Any]) -> dict[str, Any]:
    """What xAPI calls a Person: all that is known of an agent, here what was asked with."""
    found: dict[str, Any] = {"objectType": "Person"}
    for name in ("name", *IDENTIFIERS):
        if name in agent:
            found[name] = [agent[name]]
    return found
