"""Events as Caliper 1.2 has them: by its profiles where one fits, else as events with an action of our own."""

from __future__ import annotations

from typing import Any

from catalogue.events.exchange import CARRIED, NAMESPACE
from serving_layer.export.events import Event
from serving_layer.export.iris import instant, iri, own_word, thing_of

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
# Who did it where that is not shown, as Caliper names an unknown person.
SOMEBODY = "http://purl.imsglobal.org/caliper/Person"
# Profile, type and action of each event type that a profile has; the others' actions are of our own.
TERMS = {
    "LOGIN": ("SessionProfile", "SessionEvent", "LoggedIn"),
    "LOGOUT": ("SessionProfile", "SessionEvent", "LoggedOut"),
    "SESSION_EXPIRED": ("SessionProfile", "SessionEvent", "TimedOut"),
    "ASSIGNMENT_CREATED": ("ResourceManagementProfile", "ResourceManagementEvent", "Created"),
    "VIEW_ASSIGNMENT_FIRST_TIME": ("ReadingProfile", "ViewEvent", "Viewed"),
    "SUBMIT_ASSIGNMENT": ("AssignableProfile", "AssignableEvent", "Submitted"),
    "EDIT_ASSIGNMENT": ("ResourceManagementProfile", "ResourceManagementEvent", "Modified"),
    "DELETE_ASSIGNMENT": ("ResourceManagementProfile", "ResourceManagementEvent", "Deleted"),
    "QUIZ_STARTED": ("AssessmentProfile", "AssessmentEvent", "Started"),
    "QUIZ_COMPLETED": ("GradingProfile", "GradeEvent", "Graded"),
    "GRADE_ASSIGNMENT": ("GradingProfile", "GradeEvent", "Graded"),
    "VIDEO_STARTED": ("MediaProfile", "MediaEvent", "Started"),
    "VIDEO_PAUSED": ("MediaProfile", "MediaEvent", "Paused"),
    "VIDEO_COMPLETED": ("MediaProfile", "MediaEvent", "Ended"),
    "VIDEO_SEEKED": ("MediaProfile", "MediaEvent", "JumpedTo"),
    "COURSE_VIEW": ("GeneralProfile", "NavigationEvent", "NavigatedTo"),
    "COURSE_ENROLLED": ("GeneralProfile", "Event", "Activated"),
    "COURSE_DROPPED": ("GeneralProfile", "Event", "Deactivated"),
    "ITEM_CLICK": ("GeneralProfile", "NavigationEvent", "NavigatedTo"),
    "ACCESS_COURSE_MATERIAL": ("ReadingProfile", "ViewEvent", "Viewed"),
    "DOWNLOAD_MATERIAL": ("ResourceManagementProfile", "ResourceManagementEvent", "Downloaded"),
}
ENTITIES = {
    "course": "CourseOffering",
    "quiz": "Assessment",
    "assignment": "AssignableDigitalResource",
    "video": "VideoObject",
    "material": "Document",
    "resource": "Document",
    "platform": "SoftwareApplication",
}
ROLES = {"student": "Learner", "teacher": "Instructor", "admin": "Administrator"}
_ATTEMPTS = ("SUBMIT_ASSIGNMENT", "QUIZ_COMPLETED", "GRADE_ASSIGNMENT", "VIEW_STUDENT_WORK")


def caliper_event(event: Event) -> dict[str, Any]:
    """The Caliper event that says what an event says; what it has no words for is in the event that it carries."""
    told = event.told
    profile, kind, action = TERMS.get(event.type.name) or ("GeneralProfile", "Event", own_word("action", event.type))
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{event.key}",
        "profile": profile,
        "type": kind,
        "action": action,
        "actor": _person(told["user_id"]) if "user_id" in told else {"id": SOMEBODY, "type": "Person"},
        "eventTime": instant(event.moment, "milliseconds"),
        "edApp": {"id": f"{NAMESPACE}platform", "type": "SoftwareApplication"},
        "object": _object(event),
    }
    if "course_id" in told:
        course = {"id": iri("course", told["course_id"]), "type": "CourseOffering"}
        made["group"] = course
        if (role := told.get("role")) in ROLES and "user_id" in told:
            made["membership"] = {
                "id": f"{made['id']}#membership",
                "type": "Membership",
                "member": made["actor"]["id"],
                "organization": course["id"],
                "roles": [ROLES[role]],
            }
    if "session_id" in told:
        made["session"] = _session(event)
    return made | _beside(event) | {"extensions": _old_place(told) | {CARRIED: told}}


def _person(name: str) -> dict[str, Any]:
    return {"id": iri("person", name), "type": "Person"}


def _session(event: Event) -> dict[str, Any]:
    return {
        "id": iri("session", event.told["session_id"]),
        "type": "Session",
        "user": iri("person", event.person),
    }


def _object(event: Event) -> dict[str, Any]:
    told, name = event.told, event.type.name
    if name == "SESSION_EXPIRED":
        return _session(event)
    kind, thing = thing_of(event.type, told)
    entity: dict[str, Any] = {"id": thing, "type": ENTITIES.get(kind, "Entity")}
    match told.get("material_type"):
        case "link":
            entity["type"] = "WebPage"
        case "pdf":
            entity["mediaType"] = "application/pdf"
    if name in _ATTEMPTS:
        attempt = {"id": f"urn:uuid:{event.key}#attempt", "type": "Attempt", "assignable": entity}
        whose = told.get("student_id") if name == "VIEW_STUDENT_WORK" else event.person
        return attempt | ({"assignee": _person(whose)} if whose else {})
    if kind == "video" and told.get("video_duration_seconds", -1) >= 0:
        entity["duration"] = f"PT{told['video_duration_seconds']}S"
    return entity


def _beside(event: Event) -> dict[str, Any]:
    """Where in a video, or the score that was given."""
    told = event.told
    at = told.get("position_seconds", told.get("to_seconds"))
    if at is not None:
        place = f"urn:uuid:{event.key}#place"
        return {"target": {"id": place, "type": "MediaLocation", "currentTime": f"PT{at}S"}}
    given, most = told.get("score"), 100
    if given is None:
        given, most = told.get("correct_answers"), told.get("total_questions", 0)
    if given is None:
        return {}
    score = {"id": f"urn:uuid:{event.key}#score", "type": "Score", "scoreGiven": given}
    return {"generated": score | ({"maxScore": most} if most >= max(given, 1) else {})}


def _old_place(told: dict[str, Any]) -> dict[str, Any]:
    """From where was jumped, in the extension that players use."""
    return {"oldTime": told["from_seconds"]} if "from_seconds" in told else {}
