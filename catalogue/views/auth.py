"""Rollups and views of `auth_topic`."""

from catalogue.views.rollups import Rollup, earliest, latest, number
from catalogue.views.view import View

TOPIC = "auth_topic"

ROLLUPS = (
    Rollup(
        "auth_sessions",
        TOPIC,
        ("user_id", "role", "session_id"),
        (
            number("logins", "event_type = 'LOGIN'"),
            number("logouts", "event_type = 'LOGOUT'"),
            earliest("first_login", where="event_type = 'LOGIN'"),
            latest("last_logout", where="event_type = 'LOGOUT'"),
            earliest("first_activity"),
            latest("last_activity"),
        ),
    ),
    Rollup(
        "auth_logins", TOPIC, ("date", "hour", "user_id", "session_id"), (number("logins"),), "event_type = 'LOGIN'"
    ),
    Rollup(
        "auth_signups", TOPIC, ("date", "registration_source", "role"), (number("signups"),), "event_type = 'SIGNUP'"
    ),
)

VIEWS = (
    View(
        "auth_daily_active_users",
        TOPIC,
        ("date",),
        """
SELECT
    date,  -- UTC day
    count(DISTINCT user_id) AS daily_active_users,  -- users who logged in
    count(DISTINCT session_id) AS total_sessions  -- sessions that were opened
FROM auth_logins GROUP BY date""",
    ),
    View(
        "auth_hourly_login_patterns",
        TOPIC,
        ("date", "hour"),
        """
SELECT
    date,  -- UTC day
    hour,  -- UTC hour, 0 to 23
    whole(logins) AS login_count  -- logins
FROM auth_logins GROUP BY date, hour""",
    ),
    View(
        "auth_user_session_metrics",
        TOPIC,
        ("user_id",),
        """
WITH sessions AS (
    SELECT
        arg_min(user_id, (first_login, user_id)) FILTER (WHERE first_login IS NOT NULL) AS opened_by,
        min(first_login) AS opened,
        max(last_logout) AS closed
    FROM auth_sessions WHERE session_id IS NOT NULL GROUP BY session_id
), durations AS (SELECT opened_by, epoch_us(closed) - epoch_us(opened) AS us FROM sessions WHERE closed >= opened)
SELECT
    opened_by AS user_id,  -- user who opened the sessions
    count(*) AS total_sessions,  -- closed sessions
    sum(us) / 60e6 / count(*) AS avg_session_duration_minutes,  -- mean length in minutes
    min(us) / 60e6 AS min_session_duration_minutes,  -- shortest, in minutes
    max(us) / 60e6 AS max_session_duration_minutes,  -- longest, in minutes
    sum(us) / 60e6 AS total_time_online_minutes  -- sum of lengths in minutes
FROM durations GROUP BY opened_by""",
        link="session_id",
    ),
    View(
        "auth_user_activity_summary",
        TOPIC,
        ("user_id", "role"),
        """
SELECT
    user_id,  -- user
    role,  -- role of the user in the event
    whole(logins) AS total_logins,  -- logins
    whole(logouts) AS total_logouts,  -- logouts
    utc(min(first_activity)) AS first_activity,  -- earliest auth event
    utc(max(last_activity)) AS last_activity,  -- latest auth event
    count(DISTINCT session_id) AS unique_sessions  -- sessions of any auth event
FROM auth_sessions GROUP BY user_id, role""",
    ),
    View(
        "auth_registration_analytics",
        TOPIC,
        ("date", "registration_source", "role"),
        """
SELECT
    date,  -- UTC day
    registration_source,  -- where the account was made
    role,  -- role of the new user
    whole(signups) AS new_signups  -- new accounts
FROM auth_signups GROUP BY date, registration_source, role""",
    ),
)
