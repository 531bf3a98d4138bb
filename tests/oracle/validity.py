"""Which raw events are valid, and what they say: the catalogue's rules written a second time, in plain Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.oracle.json_text import Number, read_json

ROLE = ("student", "teacher", "admin")
ASSIGNMENT = ("homework", "project", "essay", "lab")
MATERIAL = ("pdf", "slides", "document", "link", "dataset")
SOURCE = ("web", "mobile", "admin")
ID, TEXT, COUNT, INTEGER, SCORE, NAMES = "id", "text", "count", "integer", "score", "names"

_COURSE = {"course_id": ID}
_WORK = {"assignment_id": ID, "course_id": ID}
_PLAYED = {"video_id": ID, "course_id": ID, "session_id": ID, "position_seconds": COUNT}
_NOTIFIED = {"notification_id": ID, "notification_type": TEXT}

# Topic: its category and, by event type, the required fields; a tuple of strings is an enumeration.
RULES: dict[str, tuple[str, dict[str, dict]]] = {
    "auth_topic": ("AUTH", {
        "LOGIN": {"role": ROLE, "session_id": ID},
        "LOGOUT": {"role": ROLE, "session_id": ID},
        "SIGNUP": {"role": ROLE, "email": TEXT, "registration_source": SOURCE},
        "LOGIN_FAILED": {"reason": TEXT},
        "SESSION_EXPIRED": {"session_id": ID},
    }),
    "assessment_topic": ("ASSESSMENT", {
        "ASSIGNMENT_CREATED": {**_WORK, "assignment_type": ASSIGNMENT, "due_date": TEXT},
        "VIEW_ASSIGNMENT_FIRST_TIME": {**_WORK, "assignment_type": ASSIGNMENT},
        "SUBMIT_ASSIGNMENT": _WORK,
        "EDIT_ASSIGNMENT": _WORK,
        "DELETE_ASSIGNMENT": {"assignment_id": ID},
        "QUIZ_STARTED": {"quiz_id": ID, "course_id": ID},
        "QUIZ_COMPLETED": {"quiz_id": ID, "course_id": ID, "correct_answers": COUNT},
        "VIEW_STUDENT_WORK": {"student_id": ID, **_WORK},
        "GRADE_ASSIGNMENT": {"student_id": ID, **_WORK, "score": SCORE},
        "ASSIGNMENT_REOPENED": {"student_id": ID, "assignment_id": ID, "new_due_date": TEXT},
    }),
    "video_topic": ("VIDEO", {
        "VIDEO_WATCHED": {"video_id": ID, "course_id": ID, "watch_duration_seconds": COUNT},
        "VIDEO_STARTED": _PLAYED,
        "VIDEO_PAUSED": _PLAYED,
        "VIDEO_COMPLETED": _PLAYED,
        "VIDEO_SEEKED": {"video_id": ID, "course_id": ID, "session_id": ID, "from_seconds": COUNT, "to_seconds": COUNT},
    }),
    "course_topic": ("COURSE", {
        "COURSE_CREATED": {"course_id": ID, "course_name": TEXT, "course_code": TEXT, "semester": TEXT,
                           "max_students": INTEGER},
        "COURSE_DELETED": _COURSE,
        "COURSE_VIEW": _COURSE,
        "COURSE_ENROLLED": _COURSE,
        "COURSE_DROPPED": _COURSE,
        "ITEM_CLICK": {"course_id": ID, "item_id": ID, "item_type": TEXT},
        "ACCESS_COURSE_MATERIAL": {"course_id": ID, "material_id": ID, "material_type": MATERIAL},
        "DOWNLOAD_MATERIAL": {"course_id": ID, "resource_id": ID},
    }),
    "profile_topic": ("PROFILE", {
        "CREATE_PROFILE": {"role": ROLE, "email": TEXT, "full_name": TEXT},
        "UPDATE_PROFILE": {"updated_fields": NAMES},
        "PROFILE_PICTURE_UPDATED": {"picture_url": TEXT},
        "PASSWORD_CHANGED": {"change_reason": TEXT},
    }),
    "notification_topic": ("NOTIFICATION", {
        "NOTIFICATION_SENT": {**_NOTIFIED, "channel": TEXT},
        "NOTIFICATION_OPENED": _NOTIFIED,
        "NOTIFICATION_CLICKED": _NOTIFIED,
        "NOTIFICATION_DISMISSED": _NOTIFIED,
    }),
}  # fmt: skip

# Optional fields that views read: strings, kept as they are.
READ_WHERE_OPTIONAL = ("role", "session_id", "assignment_type")

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_DAY, _CLOCK = "([0-9]{4})-([0-9]{2})-([0-9]{2})", "([0-9]{2}):([0-9]{2}):([0-9]{2})"
_PLAIN = re.compile(rf"{_DAY} {_CLOCK}(?:\.([0-9]{{1,6}}))?")
_ISO = re.compile(rf"{_DAY}T{_CLOCK}(?:\.([0-9]{{1,9}}))?(?:Z|([+-])([0-9]{{2}})(?::?([0-9]{{2}}))?)")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Invalid(ValueError):
    """Says why an event is invalid."""


class Unparseable(Invalid):
    """The value is no JSON object."""


@dataclass(frozen=True)
class Event:
    """A valid event: its type by its present name, its instant, its identity, and what the views read."""

    type: str
    user_id: str
    ts: datetime
    event_id: str | None
    fields: dict = field(default_factory=dict)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def instant(text: object) -> int | None:
    """Microseconds since 1970 of a timestamp's text, None when it is none."""
    if type(text) is not str or not (match := _PLAIN.fullmatch(text) or _ISO.fullmatch(text)):
        return None
    *numbers, fraction = match.groups()[:7]
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    result = microseconds(moment) + int(((fraction or "") + "000000")[:6])
    if match.re is _ISO and match[8]:
        hours, minutes = int(match[9]), int(match[10] or 0)
        if hours > 23 or minutes > 59:
            return None
        shift = (hours * 60 + minutes) * 60_000_000
        result += -shift if match[8] == "+" else shift
    return result


def parse(value: bytes) -> dict:
    """The JSON object that the bytes write."""
    try:
        parsed = read_json(value.decode("utf-8", "strict"))
    except ValueError as error:
        raise Unparseable(str(error)) from error
    if not isinstance(parsed, dict):
        raise Unparseable("no object")
    return parsed


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise Invalid(name)
    return value


def _identifier(name: str, value: object) -> str:
    if not 1 <= len(_text(name, value)) <= 128:
        raise Invalid(name)
    return _text(name, value)


def _integer(name: str, value: object, least: int = -(2**63)) -> int:
    if type(value) is not Number or not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise Invalid(name)
    if not least <= int(value) < 2**63:
        raise Invalid(name)
    return int(value)


def hundredths(name: str, value: object) -> int:
    """A score as whole hundredths of a point."""
    written = type(value) is Number and re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,9}))?", value)
    if not written:
        raise Invalid(name)
    sign, whole, fraction, exponent = (part or "" for part in written.groups())
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0
    significant = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + 2 + len(digits) - len(significant)
    if sign or power < 0 or len(significant) + power > 5 or int(significant) * 10**power > 10_000:
        raise Invalid(name)
    return int(significant) * 10**power


def _names(name: str, value: object) -> tuple[str, ...]:
    if type(value) is not list or not value or not all(type(v) is str and v for v in value):
        raise Invalid(name)
    return tuple(value)


def _checked(name: str, rule: object, value: object) -> object:
    if isinstance(rule, tuple):
        if _text(name, value) not in rule:
            raise Invalid(name)
        return value
    if rule == COUNT:
        return _integer(name, value, 0)
    checks: dict[object, Callable[[str, object], object]] = {
        ID: _identifier,
        TEXT: _text,
        INTEGER: _integer,
        SCORE: hundredths,
        NAMES: _names,
    }
    return checks[rule](name, value)


def judge(topic: str, kafka_timestamp: datetime, value: bytes) -> Event:
    """The valid event that a raw record holds; `Invalid` or `Unparseable` says what is wrong."""
    raw = {name: v for name, v in parse(value).items() if v is not None}
    category, types = RULES[topic]
    if _text("event_category", raw.get("event_category")) != category:
        raise Invalid("event_category")
    kind = _text("event_type", raw.get("event_type"))
    if topic == "profile_topic" and kind == "CHANGE_AVATAR":
        kind = "PROFILE_PICTURE_UPDATED"
    if kind not in types:
        raise Invalid("event_type")
    identity = raw.get("event_id")
    if identity is not None and not _UUID.fullmatch(_text("event_id", identity)):
        raise Invalid("event_id")
    user = _identifier("user_id", raw.get("user_id"))
    at = instant(raw.get("timestamp"))
    if at is None:
        raise Invalid("timestamp")
    if not microseconds(EARLIEST) <= at <= microseconds(kafka_timestamp + timedelta(days=1)):
        raise Invalid("timestamp")
    if kind == "DOWNLOAD_MATERIAL" and "resource_id" not in raw and "material_id" in raw:
        raw["resource_id"] = raw["material_id"]
    fields = {name: raw[name] if type(raw.get(name)) is str else None for name in READ_WHERE_OPTIONAL}
    fields |= {name: _checked(name, rule, raw.get(name)) for name, rule in types[kind].items()}
    ts = EPOCH + timedelta(microseconds=at)
    return Event(kind, user, ts, identity.lower() if identity else None, fields)


def is_valid(topic: str, kafka_timestamp: datetime, value: bytes) -> bool:
    """Whether a raw record holds a valid event."""
    try:
        judge(topic, kafka_timestamp, value)
    except Invalid:
        return False
    return True
