"""Real-time windows beside the views: rollups by the minute of an event's own time, and what is read from them.

They live in the speed layer's deltas only, for WINDOW_HOURS. A late event is added to the minute that it belongs to.
To add a window, edit this file.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalogue.declarations import refuse
from catalogue.events import TOPICS
from catalogue.views.judgement import rollup_faults, view_faults
from catalogue.views.rollups import Rollup, earliest, latest, number
from catalogue.views.view import View

WINDOW_HOURS = 48
# A session that neither logs out nor expires counts as open for so long after its last event.
IDLE_MINUTES = 60


def _activity(topic: str) -> Rollup:
    name = f"minutes_{TOPICS[topic].category.lower()}"
    return Rollup(name, topic, ("minute", "event_type", "user_id"), (number("events"),))


_ROLLUPS = (
    *map(_activity, TOPICS),
    Rollup(
        "recent_sessions",
        "auth_topic",
        ("session_id",),
        (
            earliest("opened", where="event_type = 'LOGIN'"),
            latest("closed", where="event_type IN ('LOGOUT', 'SESSION_EXPIRED')"),
            latest("last_seen"),
        ),
        "session_id IS NOT NULL",
    ),
    Rollup("recent_viewers", "video_topic", ("minute", "course_id", "user_id"), (number("events"),)),
)
ACTIVITY = " UNION ALL ".join(
    f"SELECT '{topic.category}' AS event_category, minute, event_type, user_id, events "
    f"FROM minutes_{topic.category.lower()}"
    for topic in TOPICS.values()
)


@dataclass(frozen=True)
class Window(View):
    """A view over window rollups of any topic; `clock` has a row per minute asked for, and `activity` all events."""

    meaning: str = ""


def _window(name: str, meaning: str, key: tuple[str, ...], sql: str) -> Window:
    return Window(name, "", key, sql, meaning=meaning)


def _events_by(what: str, column: str) -> Window:
    return _window(
        f"events_by_{what}",
        f"Events per minute and {what}.",
        ("minute", column),
        f"""
SELECT
    utc(minute) AS minute,  -- start of the minute, UTC
    {column},  -- {what}
    whole(events) AS event_count  -- events
FROM activity SEMI JOIN clock USING (minute) GROUP BY minute, {column}""",
    )


_WINDOWS = (
    _events_by("category", "event_category"),
    _events_by("type", "event_type"),
    _window(
        "active_users",
        "Users with any event in the last 5 and 15 minutes: windows that slide by a minute and end with it.",
        ("minute",),
        """
WITH seen AS (
    SELECT DISTINCT minute, user_id FROM activity
    WHERE minute > (SELECT min(minute) FROM clock) - INTERVAL 15 MINUTE
), slides AS (SELECT unnest(range(15)) AS slide)
SELECT
    utc(clock.minute) AS minute,  -- the minute with which the windows end, UTC
    count(DISTINCT user_id) FILTER (WHERE slide < 5) AS last_5_minutes,  -- users seen in the last 5 minutes
    count(DISTINCT user_id) AS last_15_minutes  -- users seen in the last 15 minutes
FROM clock CROSS JOIN slides
LEFT JOIN seen ON seen.minute = clock.minute - to_minutes(slide) GROUP BY clock.minute""",
    ),
    _window(
        "concurrent_sessions",
        "Sessions open at any moment of the minute: from their login to their logout or expiry, or to "
        f"{IDLE_MINUTES} minutes after their last event.",
        ("minute",),
        f"""
WITH sessions AS (
    SELECT
        min(opened) AS opened,
        coalesce(max(closed), max(last_seen) + INTERVAL {IDLE_MINUTES} MINUTE) AS ended
    FROM recent_sessions GROUP BY session_id HAVING min(opened) IS NOT NULL
)
SELECT
    utc(clock.minute) AS minute,  -- start of the minute, UTC
    count(opened) AS open_sessions  -- sessions open at any moment of it
FROM clock LEFT JOIN sessions ON opened < clock.minute + INTERVAL 1 MINUTE AND ended >= clock.minute
GROUP BY clock.minute""",
    ),
    _window(
        "video_viewers",
        "Users with a video event, per minute and course.",
        ("minute", "course_id"),
        """
SELECT
    utc(minute) AS minute,  -- start of the minute, UTC
    course_id,  -- course
    count(DISTINCT user_id) AS viewers  -- users with a video event
FROM recent_viewers SEMI JOIN clock USING (minute) GROUP BY minute, course_id""",
    ),
    _window(
        "failed_logins",
        "Failed logins per minute.",
        ("minute",),
        """
WITH failed AS (SELECT minute, user_id, events FROM minutes_auth WHERE event_type = 'LOGIN_FAILED')
SELECT
    utc(clock.minute) AS minute,  -- start of the minute, UTC
    coalesce(whole(events), 0) AS failed_logins,  -- failed logins
    count(DISTINCT user_id) AS users  -- users whose login failed
FROM clock LEFT JOIN failed ON clock.minute = failed.minute GROUP BY clock.minute""",
    ),
)
refuse(
    (
        *rollup_faults(_ROLLUPS, [ACTIVITY, *(w.sql for w in _WINDOWS)]),
        *view_faults(_WINDOWS, _ROLLUPS, ("activity", "clock", "slides")),
    )
)
WINDOW_ROLLUPS: dict[str, Rollup] = {r.name: r for r in _ROLLUPS}
WINDOWS: dict[str, Window] = {w.name: w for w in _WINDOWS}
