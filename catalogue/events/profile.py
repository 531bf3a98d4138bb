"""Profiles of users."""

from catalogue.events.fields import EMAIL, ROLE
from catalogue.events.schema import EventType, Field, Kind, Topic, choice, text

FIELD_NAMES = ("phone_number", "full_name", "major", "email", "gender", "date_of_birth")
MAJORS = ("Computer Science", "Data Science", "Mathematics", "Economics")

TOPIC = Topic(
    name="profile_topic",
    category="PROFILE",
    partitions=2,
    retention_days=None,
    share=0.03,
    job="profile_notification",
    event_types=(
        EventType(
            "CREATE_PROFILE",
            "A user filled in a profile.",
            (
                ROLE,
                EMAIL,
                text("full_name", "Name.", lambda rng: f"Student {rng.randint(1, 99999)}"),
                text(
                    "date_of_birth",
                    "Day of birth.",
                    lambda rng: f"200{rng.randint(0, 7)}-0{rng.randint(1, 9)}-15",
                    False,
                ),
                choice("gender", ("female", "male", "other"), "Gender.", required=False),
                text("phone_number", "Telephone.", lambda rng: f"09{rng.randint(10**7, 10**8 - 1)}", False),
                text("major", "Field of study.", lambda rng: rng.choice(MAJORS), False),
                Field(
                    "enrollment_year", Kind.INTEGER, "Year of entry.", False, fake=lambda rng: rng.randint(2019, 2026)
                ),
            ),
            0.18,
        ),
        EventType(
            "UPDATE_PROFILE",
            "A user changed fields of the profile.",
            (
                Field(
                    "updated_fields",
                    Kind.NAMES,
                    "Names of the changed fields.",
                    fake=lambda rng: rng.sample(FIELD_NAMES, rng.randint(1, 3)),
                ),
            ),
            0.47,
        ),
        EventType(
            "PROFILE_PICTURE_UPDATED",
            "A user changed the picture.",
            (text("picture_url", "Where the picture is.", lambda rng: f"pictures/{rng.randint(1, 9**9)}.jpg"),),
            0.20,
            aliases=("CHANGE_AVATAR",),
        ),
        EventType(
            "PASSWORD_CHANGED",
            "A user changed the password.",
            (text("change_reason", "Why.", lambda rng: rng.choice(("user_request", "expired", "security"))),),
            0.15,
        ),
    ),
)
