"""The catalogue of events: its topics, one module each. To add an event type, edit its topic's module.

Importing it raises `DeclarationError` with every fault of what is declared.
"""

from catalogue.declarations import refuse
from catalogue.events import assessment, auth, course, notification, profile, video
from catalogue.events.fields import COMMON
from catalogue.events.judgement import faults
from catalogue.events.schema import EventType, Topic

_DECLARED = tuple(m.TOPIC for m in (auth, assessment, video, course, profile, notification))
refuse(faults(_DECLARED))
TOPICS: dict[str, Topic] = {t.name: t for t in _DECLARED}
EVENT_TYPES: dict[str, EventType] = {e.name: e for t in _DECLARED for e in t.event_types}
JOBS: tuple[str, ...] = tuple(dict.fromkeys(t.job for t in _DECLARED))

__all__ = ["COMMON", "EVENT_TYPES", "JOBS", "TOPICS"]
