"""Notifications and what became of them."""

from catalogue.events.fields import NOTIFICATION
from catalogue.events.schema import EventType, Topic, identifier, text

TYPES = ("assignment_due", "grade_posted", "course_announcement", "quiz_reminder", "new_material")
TYPE = text("notification_type", "Type of the notification.", lambda rng: rng.choice(TYPES))

TOPIC = Topic(
    name="notification_topic",
    category="NOTIFICATION",
    partitions=3,
    retention_days=183,
    share=0.04,
    job="profile_notification",
    event_types=(
        EventType(
            "NOTIFICATION_SENT",
            "A notification was sent to the user.",
            (
                NOTIFICATION,
                TYPE,
                text("channel", "How it was sent.", lambda rng: rng.choice(("email", "push", "in_app"))),
                identifier("related_object_id", "ASM", "What it is about.", required=False),
            ),
            0.50,
        ),
        EventType("NOTIFICATION_OPENED", "The user opened it.", (NOTIFICATION, TYPE), 0.25),
        EventType("NOTIFICATION_CLICKED", "The user followed it.", (NOTIFICATION, TYPE), 0.13),
        EventType("NOTIFICATION_DISMISSED", "The user put it away.", (NOTIFICATION, TYPE), 0.12),
    ),
)
