"""Signing up, in and out."""

from catalogue.events.fields import EMAIL, ROLE, SESSION
from catalogue.events.schema import EventType, Topic, choice, text

REASONS = ("wrong_password", "unknown_user", "locked")

TOPIC = Topic(
    name="auth_topic",
    category="AUTH",
    partitions=3,
    retention_days=730,
    share=0.15,
    job="auth",
    event_types=(
        EventType("LOGIN", "A user opened a session.", (ROLE, SESSION), 0.44),
        EventType("LOGOUT", "A user closed a session.", (ROLE, SESSION), 0.36),
        EventType(
            "SIGNUP",
            "A user got an account.",
            (ROLE, EMAIL, choice("registration_source", ("web", "mobile", "admin"), "Where the account was made.")),
            0.04,
        ),
        EventType(
            "LOGIN_FAILED",
            "A login was refused.",
            (text("reason", "Why it was refused.", lambda rng: rng.choice(REASONS)),),
            0.08,
        ),
        EventType("SESSION_EXPIRED", "A session ended by itself.", (SESSION,), 0.08),
    ),
)
