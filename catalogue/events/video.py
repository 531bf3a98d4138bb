"""Watching lectures."""

from catalogue.events.fields import COURSE, OPTIONAL_SESSION, SESSION, VIDEO
from catalogue.events.schema import EventType, Topic, count

POSITION = count("position_seconds", "Where in the video, in seconds.", 3600)

TOPIC = Topic(
    name="video_topic",
    category="VIDEO",
    partitions=5,
    retention_days=730,
    share=0.35,
    job="video",
    event_types=(
        EventType(
            "VIDEO_WATCHED",
            "A student watched a stretch of a video.",
            (
                VIDEO,
                COURSE,
                count("watch_duration_seconds", "Seconds watched.", 1800),
                OPTIONAL_SESSION,
                count("video_duration_seconds", "Length of the video in seconds.", 3600, required=False),
            ),
            0.40,
        ),
        EventType("VIDEO_STARTED", "Play was pressed.", (VIDEO, COURSE, SESSION, POSITION), 0.22),
        EventType("VIDEO_PAUSED", "Pause was pressed.", (VIDEO, COURSE, SESSION, POSITION), 0.16),
        EventType("VIDEO_COMPLETED", "The end was reached.", (VIDEO, COURSE, SESSION, POSITION), 0.10),
        EventType(
            "VIDEO_SEEKED",
            "The position was changed by hand.",
            (
                VIDEO,
                COURSE,
                SESSION,
                count("from_seconds", "Position before, in seconds.", 3600),
                count("to_seconds", "Position after, in seconds.", 3600),
            ),
            0.12,
        ),
    ),
)
