"""The catalogue of events: six topics, one module each. To add an event type, edit its topic's module."""

from catalogue.events import assessment, auth, course, notification, profile, video
from catalogue.events.fields import COMMON
from catalogue.events.schema import EventType, Topic

TOPICS: dict[str, Topic] = {m.TOPIC.name: m.TOPIC for m in (auth, assessment, video, course, profile, notification)}
EVENT_TYPES: dict[str, EventType] = {e.name: e for t in TOPICS.values() for e in t.event_types}
JOBS: tuple[str, ...] = tuple(dict.fromkeys(t.job for t in TOPICS.values()))

__all__ = ["COMMON", "EVENT_TYPES", "JOBS", "TOPICS"]
