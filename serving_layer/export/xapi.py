"""Events as xAPI statements, of the video profile where they are of videos."""

from __future__ import annotations

from typing import Any

from catalogue.events.exchange import CARRIED, NAMESPACE
from serving_layer.export.events import Event
from serving_layer.export.iris import instant, iri, own_word, thing_of

VERSION = "1.0.3"
_ADL, _TINCAN, _STREAMS = "http://adlnet.gov/expapi/", "http://id.tincanapi.com/", "http://activitystrea.ms/schema/1.0/"
_VIDEO, _OPENEDX = "https://w3id.org/xapi/video/", "https://w3id.org/xapi/openedx/extensions/"
# The verb of each type that the vocabularies have one for; the others' are of our own.
VERBS = {
    "LOGIN": "https://w3id.org/xapi/adl/verbs/logged-in",
    "LOGOUT": "https://w3id.org/xapi/adl/verbs/logged-out",
    "ASSIGNMENT_CREATED": f"{_STREAMS}create",
    "VIEW_ASSIGNMENT_FIRST_TIME": f"{_TINCAN}verb/viewed",
    "SUBMIT_ASSIGNMENT": f"{_STREAMS}submit",
    "EDIT_ASSIGNMENT": f"{_STREAMS}update",
    "DELETE_ASSIGNMENT": f"{_STREAMS}delete",
    "QUIZ_STARTED": f"{_ADL}verbs/initialized",
    "QUIZ_COMPLETED": f"{_ADL}verbs/completed",
    "GRADE_ASSIGNMENT": f"{_TINCAN}verb/earned",
    "VIDEO_WATCHED": f"{_STREAMS}watch",
    "VIDEO_STARTED": f"{_VIDEO}verbs/played",
    "VIDEO_PAUSED": f"{_VIDEO}verbs/paused",
    "VIDEO_COMPLETED": f"{_ADL}verbs/completed",
    "VIDEO_SEEKED": f"{_VIDEO}verbs/seeked",
    "COURSE_CREATED": f"{_STREAMS}create",
    "COURSE_DELETED": f"{_STREAMS}delete",
    "COURSE_VIEW": f"{_TINCAN}verb/viewed",
    "COURSE_ENROLLED": f"{_ADL}verbs/registered",
    "COURSE_DROPPED": f"{_TINCAN}verb/unregistered",
    "ITEM_CLICK": "https://w3id.org/xapi/dod-isd/verbs/navigated",
    "ACCESS_COURSE_MATERIAL": f"{_TINCAN}verb/viewed",
    "DOWNLOAD_MATERIAL": f"{_TINCAN}verb/downloaded",
}
# The activity type of each kind of thing that has one.
ACTIVITIES = {
    "course": f"{_ADL}activities/course",
    "quiz": f"{_ADL}activities/assessment",
    "assignment": f"{_TINCAN}activitytype/school-assignment",
    "video": f"{_VIDEO}activity-type/video",
    "material": f"{_TINCAN}activitytype/document",
    "resource": f"{_TINCAN}activitytype/document",
    "link": f"{_ADL}activities/link",
}
_PLACES = {"position_seconds": "time", "from_seconds": "time-from", "to_seconds": "time-to"}


def statement(event: Event) -> dict[str, Any]:
    """The statement that says what an event says; what xAPI has no words for is in the event that it carries."""
    told, name = event.told, event.type.name
    kind, thing = thing_of(event.type, told)
    made: dict[str, Any] = {
        "id": event.key,
        "version": VERSION,
        "timestamp": instant(event.moment),
        "stored": instant(event.arrived, "milliseconds"),
        "authority": _agent("platform"),
        "actor": _agent(event.person),
        "verb": {
            "id": VERBS.get(name) or own_word("verb", event.type),
            "display": {"en": name.lower().replace("_", " ")},
        },
        "object": _activity(kind, thing, "link" if told.get("material_type") == "link" else kind),
        "context": _context(event, kind),
    }
    if result := _result(event):
        made["result"] = result
    return made


def _agent(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": f"{NAMESPACE}people", "name": name}}


def _activity(kind: str, thing: str, known_as: str) -> dict[str, Any]:
    kind_iri = ACTIVITIES.get(known_as, f"{NAMESPACE}activity:{kind}")
    return {"objectType": "Activity", "id": thing, "definition": {"type": kind_iri}}


def _context(event: Event, kind: str) -> dict[str, Any]:
    told, context = event.told, dict[str, Any]()
    if kind != "course" and "course_id" in told:
        course = _activity("course", iri("course", told["course_id"]), "course")
        context["contextActivities"] = {"parent": [course]}
    if event.other is not None:
        context["instructor"] = _agent(event.other)
    extensions: dict[str, Any] = {}
    if "session_id" in told:
        extensions[f"{_VIDEO}extensions/session-id" if kind == "video" else f"{_OPENEDX}session-id"] = told[
            "session_id"
        ]
    if told.get("video_duration_seconds", -1) >= 0:
        extensions[f"{_VIDEO}extensions/length"] = told["video_duration_seconds"]
    context["extensions"] = extensions | {CARRIED: told}
    return context


def _result(event: Event) -> dict[str, Any]:
    told, result = event.told, dict[str, Any]()
    places = {f"{_VIDEO}extensions/{word}": told[name] for name, word in _PLACES.items() if name in told}
    if places:
        result["extensions"] = places
    if event.type.name in ("VIDEO_COMPLETED", "QUIZ_COMPLETED"):
        result["completion"] = True
    if "watch_duration_seconds" in told:
        result["duration"] = f"PT{told['watch_duration_seconds']}S"
    if "score" in told:
        result["score"] = {"raw": told["score"], "min": 0, "max": 100}
    elif "correct_answers" in told:
        right, most = told["correct_answers"], told.get("total_questions", 0)
        result["score"] = {"raw": right, "min": 0, "max": most} if most >= max(right, 1) else {"raw": right}
    return result
