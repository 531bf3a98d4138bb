"""The rollup and the views of `notification_topic`."""

from catalogue.views.rollups import Rollup, number
from catalogue.views.view import View

TOPIC = "notification_topic"

ROLLUPS = (
    Rollup("notification_activity", TOPIC, ("date", "event_type", "notification_type", "user_id"), (number("events"),)),
)

_REACTIONS = """
WITH reactions AS (
    SELECT
        user_id,
        notification_type,
        coalesce(sum(events) FILTER (WHERE event_type = 'NOTIFICATION_SENT'), 0) AS sent,
        coalesce(sum(events) FILTER (WHERE event_type = 'NOTIFICATION_CLICKED'), 0) AS clicked
    FROM notification_activity GROUP BY user_id, notification_type
)"""

VIEWS = (
    View(
        "notification_delivery_stats",
        TOPIC,
        ("notification_type",),
        """
SELECT
    notification_type,  -- type of notification
    whole(events) AS total_sent,  -- notifications sent
    count(DISTINCT user_id) AS unique_recipients  -- users who got one
FROM notification_activity WHERE event_type = 'NOTIFICATION_SENT' GROUP BY notification_type""",
    ),
    View(
        "notification_engagement",
        TOPIC,
        ("user_id", "notification_type"),
        """
SELECT
    user_id,  -- user
    notification_type,  -- type of notification
    whole(events) AS notifications_clicked  -- notifications followed
FROM notification_activity WHERE event_type = 'NOTIFICATION_CLICKED' GROUP BY user_id, notification_type""",
    ),
    View(
        "notification_click_through_rate",
        TOPIC,
        ("notification_type",),
        _REACTIONS
        + """
SELECT
    notification_type,  -- type of notification
    whole(sent) AS total_sent,  -- notifications sent
    whole(clicked) AS total_clicked,  -- notifications followed
    percentage(whole(clicked), whole(sent)) AS click_through_rate  -- followed per sent, in percent
FROM reactions GROUP BY notification_type HAVING whole(sent) > 0""",
    ),
    View(
        "notification_user_preferences",
        TOPIC,
        ("user_id", "notification_type"),
        _REACTIONS
        + """
SELECT
    user_id,  -- user
    notification_type,  -- type of notification
    sent::BIGINT AS notifications_received,  -- notifications received
    clicked::BIGINT AS notifications_clicked,  -- notifications followed
    percentage(clicked, sent) AS engagement_rate  -- followed per received, in percent
FROM reactions WHERE sent > 0""",
    ),
    View(
        "notification_daily_activity",
        TOPIC,
        ("date", "event_type", "notification_type"),
        """
SELECT
    date,  -- UTC day
    event_type,  -- type of event
    notification_type,  -- type of notification
    count(DISTINCT user_id) AS unique_users,  -- users
    whole(events) AS event_count  -- events
FROM notification_activity GROUP BY date, event_type, notification_type""",
    ),
    View(
        "notification_user_summary",
        TOPIC,
        ("user_id",),
        _REACTIONS
        + """
SELECT
    user_id,  -- user
    whole(sent) AS total_received,  -- notifications received
    whole(clicked) AS total_clicked,  -- notifications followed
    percentage(whole(clicked), whole(sent)) AS overall_engagement_rate  -- followed per received, in percent
FROM reactions GROUP BY user_id""",
    ),
)
