"""What becomes of which xAPI verb: the table that `docs/replay-mappings.md` shows."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay.identity import identifier, person
from ingestion_layer.replay.quantities import number, points, position, whole
from ingestion_layer.replay.row import Unmapped
from ingestion_layer.replay.rule import Rule

VIDEO = "https://w3id.org/xapi/video/extensions/"
OPENEDX = "https://w3id.org/xapi/openedx/extensions/"
Segments = list[tuple[float, float]]


class Statement:
    """A statement's parts, whatever form they have."""

    __slots__ = ("context", "document", "result", "told", "verb")

    def __init__(self, document: dict[str, Any]):
        self.document = document
        verb = document["verb"]["id"]
        self.verb: str = verb.rstrip("/").rpartition("/")[2]
        self.context = _object(document.get("context"))
        self.result = _object(document.get("result"))
        self.told = _object(self.result.get("extensions"))

    def extension(self, name: str) -> Any:
        """What the context adds."""
        return _object(self.context.get("extensions")).get(name)

    def user(self) -> str | None:
        """Who: an account of its home page, an address or its hash, an OpenID; None for nobody."""
        actor = self.document.get("actor")
        actor = actor if isinstance(actor, dict) else {}
        account = actor.get("account")
        if isinstance(account, dict) and (name := person(account.get("name"))):
            page = account.get("homePage")
            return identifier(f"{name}@{page}" if isinstance(page, str) and page else name)
        found = next((person(actor[name]) for name in ("mbox", "mbox_sha1sum", "openid") if actor.get(name)), None)
        return found.removeprefix("mailto:") if found and found != "mailto:" else None

    def thing(self) -> str | None:
        """What it was done with."""
        return _identified(self.document["object"])

    def course(self) -> str | None:
        """The course: the object where it is one, or the activity that it stands in."""
        thing = _object(self.document.get("object"))
        if _kind(thing) == "course":
            return _identified(thing)
        around = _object(self.context.get("contextActivities"))
        for name in ("parent", "grouping"):
            activities = around.get(name)
            listed = activities if isinstance(activities, list) else [activities]
            courses = [a for a in listed if _kind(a) == "course"]
            for activity in courses or (listed if name == "parent" else []):
                if found := _identified(activity):
                    return found
        return None

    def session(self) -> str | None:
        """The session under either extension, else the registration."""
        for name in (f"{VIDEO}session-id", f"{OPENEDX}session-id"):
            if found := identifier(self.extension(name)):
                return found
        return identifier(self.context.get("registration"))

    def segments(self) -> Segments | None:
        """The spans that the player lists, None where it lists none; one that can't be read is left out."""
        text = self.told.get(f"{VIDEO}played-segments")
        if text is None:
            return None
        spans = []
        for segment in text.split("[,]") if isinstance(text, str) else []:
            begin, _, end = segment.partition("[.]")
            try:
                first, last = number(begin), number(end)
            except ValueError:
                continue
            if 0 <= first < last:
                spans.append((first, last))
        return spans


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _identified(thing: Any) -> str | None:
    found = identifier(thing.get("id") if isinstance(thing, dict) else thing)
    return found.removeprefix("uuid://") if found else None


def _kind(thing: Any) -> str:
    kind = _object(_object(thing).get("definition")).get("type")
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


def _place(statement: Statement) -> dict[str, float]:
    return {"position_seconds": position(statement.told.get(f"{VIDEO}time"))}


def _jump(statement: Statement) -> dict[str, float]:
    told = statement.told
    return {
        "from_seconds": position(told.get(f"{VIDEO}time-from")),
        "to_seconds": position(told.get(f"{VIDEO}time-to")),
    }


def _enrolment(kind: str) -> Any:
    def make(statement: Statement) -> tuple[str, dict[str, Any]]:
        course = statement.course() or statement.thing()
        return kind, {"course_id": course, "role": "student"}

    return make


def _download(statement: Statement) -> tuple[str, dict[str, Any]]:
    return "DOWNLOAD_MATERIAL", {"resource_id": statement.thing()}


def _evaluated(statement: Statement) -> tuple[str, dict[str, Any]]:
    score = _object(statement.result.get("score"))
    quiz = {"quiz_id": statement.thing()}
    if score.get("max") is not None and score.get("raw") is not None:
        right = points(score["raw"], score["max"], 0)
    elif score.get("scaled") is not None:
        right = points(score["scaled"], 1, 0)
    elif isinstance(statement.result.get("success"), bool):
        right = 100.0 * statement.result["success"]
    else:
        raise Unmapped("says nothing of right answers")
    return "QUIZ_COMPLETED", quiz | {"correct_answers": whole(right), "total_questions": 100}


RULES: tuple[Rule, ...] = (
    Rule(("played",), "VIDEO_STARTED", _place, "at `time`, in whole seconds"),
    Rule(("paused",), "VIDEO_PAUSED", _place, "at `time`"),
    Rule(("completed",), "VIDEO_COMPLETED", _place, "at `time`"),
    Rule(("seeked",), "VIDEO_SEEKED", _jump, "from `time-from` to `time-to`"),
    Rule(("downloaded",), "DOWNLOAD_MATERIAL", _download),
    Rule(("registered",), "COURSE_ENROLLED", _enrolment("COURSE_ENROLLED"), "of the course that is its object; role student"),
    Rule(("unregistered",), "COURSE_DROPPED", _enrolment("COURSE_DROPPED"), "of the course that is its object; role student"),
    Rule(("evaluated",), "QUIZ_COMPLETED", _evaluated, "points of a hundred as right answers"),
)  # fmt: skip
