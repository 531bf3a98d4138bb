"""Fields that several event types share, and those that every event has."""

from catalogue.events.schema import Field, Kind, choice, identifier, person, text

ROLES = ("student", "teacher", "admin")
ASSIGNMENT_TYPES = ("homework", "project", "essay", "lab")

ROLE = choice("role", ROLES, "Role of the user.")
SESSION = identifier("session_id", "", "Login session in which it happened.")
OPTIONAL_SESSION = identifier("session_id", "", "Login session in which it happened.", required=False)
COURSE = identifier("course_id", "COURSE", "Course that it belongs to.")
ASSIGNMENT = identifier("assignment_id", "ASM", "Assignment.")
STUDENT = person("student_id", "SV", "Student whose work it is.")
QUIZ = identifier("quiz_id", "QUIZ", "Quiz.")
VIDEO = identifier("video_id", "VID", "Video.")
NOTIFICATION = identifier("notification_id", "NOTIF", "Notification.")
EMAIL = text("email", "E-mail address.", lambda rng: f"user{rng.randint(1, 99999)}@university.edu")

COMMON: tuple[Field, ...] = (
    Field("event_id", Kind.UUID, "Identity of the event; only a foreign source may lack it.", required=False),
    Field("event_category", Kind.TEXT, "Category, in capitals; it belongs to one topic."),
    Field("event_type", Kind.TEXT, "Type within the category."),
    person("user_id", "SV", "User who caused the event; the Kafka key."),
    Field("timestamp", Kind.TIMESTAMP, "When it happened."),
    choice("role", ROLES, "Role of the user.", required=False),
    choice("device_type", ("desktop", "mobile", "tablet"), "Device that was used.", required=False),
    text(
        "ip_address", "Address of the device.", lambda rng: f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.9", False
    ),
    Field("schema_version", Kind.INTEGER, "Version of the event's form, 1 when missing.", required=False),
)
