"""An xAPI statement's parts, whatever form they have."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import LARGEST

VIDEO = "https://w3id.org/xapi/video/extensions/"
OPENEDX = "https://w3id.org/xapi/openedx/extensions/"
# What somebody makes of an item, in the words of Moodle's newer statements, and what such an item is.
MADE, ITEMS = ("attempt", "submission"), ("assessment", "assignment")
Segments = list[tuple[float, float]]


class Statement:
    """A statement's parts, whatever form they have; `verb` is the last part of its verb's id, `kind` of its object's
    type.
    """

    __slots__ = (
        "_course",
        "_session",
        "context",
        "document",
        "extensions",
        "kind",
        "result",
        "thing",
        "told",
        "user",
        "verb",
    )

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.verb: str = document["verb"]["id"].rstrip("/").rpartition("/")[2]
        self.context = context = as_object(document.get("context"))
        self.extensions = as_object(context.get("extensions"))
        self.result = result = as_object(document.get("result"))
        self.told = as_object(result.get("extensions"))
        thing = document.get("object")
        self.kind = _kind(thing)
        self.thing = _identified(thing)
        self.user = user_of(document.get("actor"))
        self._course: str | None = ""
        self._session: str | None = ""

    @property
    def course(self) -> str | None:
        """The course: the object where it is one, or the activity that it stands in."""
        if self._course == "":
            self._course = self._found_course()
        return self._course

    def _found_course(self) -> str | None:
        if self.kind == "course":
            return self.thing
        around = as_object(self.context.get("contextActivities"))
        for name in ("parent", "grouping"):
            activities = around.get(name)
            listed = activities if isinstance(activities, list) else [activities]
            courses = [a for a in listed if _kind(a) == "course"]
            for activity in courses or (listed if name == "parent" else []):
                if found := _identified(activity):
                    return found
        return None

    @property
    def item(self) -> str | None:
        """What an attempt or a submission is one of; else the object."""
        if self.kind in MADE:
            parents = as_object(self.context.get("contextActivities")).get("parent")
            for activity in parents if isinstance(parents, list) else [parents]:
                if _kind(activity) in ITEMS and (found := _identified(activity)):
                    return found
        return self.thing

    @property
    def session(self) -> str | None:
        """The session under either extension, else the registration."""
        if self._session == "":
            told, context = self.extensions, self.context
            self._session = (
                identifier(told.get(f"{VIDEO}session-id"))
                or identifier(told.get(f"{OPENEDX}session-id"))
                or identifier(context.get("registration"))
            )
        return self._session

    def segments(self) -> Segments | None:
        """The spans that the player lists, None where it lists none; one that can't be read is left out."""
        text = self.told.get(f"{VIDEO}played-segments")
        if text is None:
            return None
        spans = []
        for segment in text.split("[,]") if isinstance(text, str) else []:
            begin, _, end = segment.partition("[.]")
            try:
                first, last = float(begin), float(end)
            except ValueError:
                continue
            if 0 <= first < last <= LARGEST:  # so neither is infinite or none
                spans.append((first, last))
        return spans


def user_of(actor: Any) -> str | None:
    """Who: an account of its home page, an address or its hash, an OpenID; None for nobody."""
    if not isinstance(actor, dict):
        return None
    account = actor.get("account")
    if isinstance(account, dict) and (name := person(account.get("name"))):
        page = account.get("homePage")
        return identifier(f"{name}@{page}" if isinstance(page, str) and page else name)
    found = next((person(actor[name]) for name in ("mbox", "mbox_sha1sum", "openid") if actor.get(name)), None)
    return found.removeprefix("mailto:") if found and found != "mailto:" else None


def as_object(value: Any) -> dict[str, Any]:
    """The value where it is one, else an empty one."""
    return value if type(value) is dict else {}


def _identified(thing: Any) -> str | None:
    found = identifier(thing.get("id") if isinstance(thing, dict) else thing)
    return found.removeprefix("uuid://") if found else None


def _kind(thing: Any) -> str:
    kind = as_object(as_object(thing).get("definition")).get("type")
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""
