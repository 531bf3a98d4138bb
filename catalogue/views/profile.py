"""Rollups and views of `profile_topic`."""

from catalogue.views.rollups import Rollup, earliest, latest, number
from catalogue.views.view import View

TOPIC = "profile_topic"

ROLLUPS = (
    Rollup(
        "profile_activity",
        TOPIC,
        ("date", "event_type", "user_id"),
        (number("events"), earliest("first_event"), latest("last_event")),
    ),
    Rollup(
        "profile_fields",
        TOPIC,
        ("field_name", "user_id"),
        (number("updates"),),
        "event_type = 'UPDATE_PROFILE'",
        unnest="updated_fields",
        unnest_as="field_name",
    ),
)

VIEWS = (
    View(
        "profile_update_frequency",
        TOPIC,
        ("user_id",),
        """
SELECT
    user_id,  -- user
    whole(events) AS total_profile_updates,  -- updates
    utc(min(first_event)) AS first_update,  -- earliest update
    utc(max(last_event)) AS last_update  -- latest update
FROM profile_activity WHERE event_type = 'UPDATE_PROFILE' GROUP BY user_id""",
    ),
    View(
        "profile_field_changes",
        TOPIC,
        ("field_name",),
        """
SELECT
    field_name,  -- name of the field
    whole(updates) AS total_updates,  -- updates that changed it
    count(DISTINCT user_id) AS unique_users_updating  -- users who changed it
FROM profile_fields GROUP BY field_name""",
    ),
    View(
        "profile_avatar_changes",
        TOPIC,
        ("user_id",),
        """
SELECT
    user_id,  -- user
    whole(events) AS avatar_changes_count,  -- changes of the picture
    utc(min(first_event)) AS first_change,  -- earliest change
    utc(max(last_event)) AS last_change  -- latest change
FROM profile_activity WHERE event_type = 'PROFILE_PICTURE_UPDATED' GROUP BY user_id""",
    ),
    View(
        "profile_daily_activity",
        TOPIC,
        ("date", "event_type"),
        """
SELECT
    date,  -- UTC day
    event_type,  -- type of event
    count(DISTINCT user_id) AS unique_users,  -- users
    whole(events) AS event_count  -- events
FROM profile_activity GROUP BY date, event_type""",
    ),
)
