"""A Caliper event's parts, whatever form they have."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.identity import identifier, person

COURSES = ("CourseSection", "CourseOffering")
ROLES = (
    ("Instructor", "teacher"),
    ("TeachingAssistant", "teacher"),
    ("Administrator", "admin"),
    ("Learner", "student"),
)
PREFIX = "http://purl.imsglobal.org/caliper/"


def as_object(value: Any) -> dict[str, Any]:
    """The value where it is one, else an empty one."""
    return value if isinstance(value, dict) else {}


def id_of(thing: Any) -> str | None:
    """The identifier of an entity, which may be given by it alone."""
    return identifier(thing.get("id") if isinstance(thing, dict) else thing)


def person_of(thing: Any) -> str | None:
    """Who an entity is, which may be given by its identifier alone; None for nobody."""
    return person(thing.get("id") if isinstance(thing, dict) else thing)


def key_of(document: dict[str, Any]) -> str:
    """Type and action, by which rules are found."""
    kind, action = document["type"], document["action"]
    return f"{kind.removeprefix(PREFIX)} {action.removeprefix(PREFIX + 'actions/')}"


class Event:
    """A Caliper event's parts, whatever form they have."""

    __slots__ = ("action", "document", "object", "type")

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.type, _, self.action = key_of(document).partition(" ")
        self.object = document.get("object")

    def user(self) -> str | None:
        """The actor."""
        return person_of(self.document.get("actor"))

    def thing(self) -> str | None:
        """The object."""
        return id_of(self.object)

    def kind(self) -> str:
        """The object's type."""
        kind = as_object(self.object).get("type")
        return kind if isinstance(kind, str) and kind else "DigitalResource"

    def session(self) -> str | None:
        """The session."""
        return id_of(self.document.get("session"))

    def place(self) -> Any:
        """The position in a video, as it is written."""
        target = as_object(self.document.get("target"))
        found = target.get("currentTime", as_object(self.object).get("currentTime"))
        return self.extra("currentTime") if found is None else found

    def length(self) -> Any:
        """The length of a video, as it is written."""
        return as_object(self.object).get("duration")

    def extra(self, *names: str) -> Any:
        """What an extension of one of these names says: the event's, the target's or the object's."""
        target = as_object(self.document.get("target"))
        for around in (self.document, target, as_object(self.object)):
            extensions = as_object(around.get("extensions"))
            for name in names:
                if (found := extensions.get(name)) is not None:
                    return found
        return None

    def course(self) -> str | None:
        """The group (the section that a Group belongs to), else the membership's organization, else what the object is
        part of, else what an extension names.
        """
        membership = as_object(self.document.get("membership"))
        for group in (self.document.get("group"), membership.get("organization")):
            inner = as_object(group)
            if inner.get("type") == "Group" and inner.get("subOrganizationOf"):
                group = inner["subOrganizationOf"]
            if found := id_of(group):
                return found
        if self.kind() in COURSES:
            return self.thing()
        thing = as_object(self.object)
        around = as_object(thing.get("extensions"))
        for part in (
            around.get("isPartOf"),
            thing.get("isPartOf"),
            as_object(around.get("assignable")).get("isPartOf"),
        ):
            for _ in range(4):  # a page of a chapter of a course
                inner = as_object(part)
                if inner.get("type") in COURSES:
                    return id_of(inner)
                part = inner.get("isPartOf")
        return identifier(self.extra("course_id"))

    def role(self) -> str | None:
        """What the membership says that the actor is."""
        roles = as_object(self.document.get("membership")).get("roles")
        names = " ".join(str(role) for role in (roles if isinstance(roles, list) else [roles or ""]))
        return next((role for sign, role in ROLES if sign in names), None)
