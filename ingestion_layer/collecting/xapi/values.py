"""Values of xAPI: what is an IRI, a UUID, a moment, a duration, a language, and 400 for what is none."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NoReturn

from ingestion_layer.collecting.refusals import Refused

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)([.,]\d+)?)?"
    r"([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?"
)
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_DURATION = re.compile(
    r"P(?:\d+(?:\.\d+)?W|(?=.)(?:\d+(?:\.\d+)?Y)?(?:\d+(?:\.\d+)?M)?(?:\d+(?:\.\d+)?D)?"
    r"(?:T(?=.)(?:\d+(?:\.\d+)?H)?(?:\d+(?:\.\d+)?M)?(?:\d+(?:\.\d+)?S)?)?)"
)
_LANGUAGE = re.compile(r"([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|[xi](-[A-Za-z0-9]{1,8})+)")
_MAIL = re.compile(r"mailto:[^@\s]+@[^@\s]+")
_SHA1 = re.compile(r"[0-9a-f]{40}", re.I)


def wrong(name: str, must: str, got: object = ...) -> NoReturn:
    """Refuse a request: `name` must be so."""
    shown = "" if got is ... else f"; got {str(got)[:80]!r}"
    raise Refused(400, name, f"must be {must}{shown}")


def an_object(value: Any, name: str, allowed: frozenset[str] | None = None) -> dict[str, Any]:
    """`value` as an object without members that aren't allowed."""
    if not isinstance(value, dict):
        wrong(name, "an object", value)
    if allowed is not None and (odd := value.keys() - allowed):
        wrong(f"{name}.{sorted(odd)[0]}", f"absent: {name} has {', '.join(sorted(allowed))}")
    return value


def a_text(value: Any, name: str) -> str:
    """`value` as a string."""
    if not isinstance(value, str):
        wrong(name, "a string", value)
    return value


def an_iri(value: Any, name: str) -> str:
    """`value` as an IRI with its scheme."""
    if not isinstance(value, str) or not _IRI.fullmatch(value):
        wrong(name, "an IRI with its scheme", value)
    return value


def a_uuid(value: Any, name: str) -> str:
    """`value` as a UUID in its usual form, small letters."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        wrong(name, "a UUID", value)
    return value.lower()


def a_moment(value: Any, name: str) -> str:
    """`value` as a time of ISO 8601."""
    if isinstance(value, str) and (_TIME.fullmatch(value) or _DAY.fullmatch(value)):
        try:
            if value[-6:] != "-00:00" and not re.search(r"-00(00)?$", value[10:]):
                datetime.strptime(value[:10], "%Y-%m-%d")
                return value
        except ValueError:
            pass
    wrong(name, "a time of ISO 8601, not at offset -00:00", value)


def a_duration(value: Any, name: str) -> str:
    """`value` as a duration of ISO 8601."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        wrong(name, "a duration of ISO 8601", value)
    return value


def a_language(value: Any, name: str) -> str:
    """`value` as a tag of RFC 5646."""
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        wrong(name, "a language tag of RFC 5646", value)
    return value


def a_language_map(value: Any, name: str) -> None:
    """`value` as texts by language."""
    for tag, text in an_object(value, name).items():
        a_language(tag, name)
        a_text(text, f"{name}.{tag}")


def extensions(value: Any, name: str) -> None:
    """`value` as anything by IRI."""
    for key in an_object(value, name):
        an_iri(key, name)


def a_number(value: Any, name: str) -> float:
    """`value` as a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong(name, "a number", value)
    return value


def a_flag(value: Any, name: str) -> bool:
    """`value` as true or false."""
    if not isinstance(value, bool):
        wrong(name, "true or false", value)
    return value


def a_mailbox(value: Any, name: str) -> None:
    """`value` as a mailto: address."""
    if not isinstance(value, str) or not _MAIL.fullmatch(value):
        wrong(name, "mailto: and an address", value)


def a_sha1(value: Any, name: str) -> None:
    """`value` as a SHA-1 in hex."""
    if not isinstance(value, str) or not _SHA1.fullmatch(value):
        wrong(name, "a SHA-1 of 40 hex digits", value)


def a_list(value: Any, name: str) -> list[Any]:
    """`value` as an array."""
    if not isinstance(value, list):
        wrong(name, "an array", value)
    return value
