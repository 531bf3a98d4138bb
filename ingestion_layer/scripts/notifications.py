"""Notifications and what people do with them."""

from __future__ import annotations

from ingestion_layer.population import Person, Student, fragment
from ingestion_layer.scripts.script import TRIES, script
from ingestion_layer.world import Record, World


@script("NOTIFICATION_SENT", "notification_id", "notification_type", "related_object_id")
def _sent(world: World, now: int) -> Record | None:
    session = world.student_session()
    if session is None:
        return None
    person: Person
    if world.news:
        person, kind, about = world.news.popleft()
    else:
        student = person = session.person
        kind = str(world.fake(world.notification_type))
        about = (student.pending[0].assignment if student.pending else student.enrolments[0].course).id
    world.notifications += 1
    tail = f',"notification_id":"NOTIF{world.notifications:03}"' + fragment(notification_type=kind)
    if isinstance(person, Student):
        person.inbox = [*person.inbox[-4:], (tail, now, False)]
    return world.write_plain("NOTIFICATION_SENT", person, now, tail + fragment(related_object_id=about))


def _reaction(name: str, after_opening: bool, stays: bool) -> None:
    @script(name, "notification_id", "notification_type")
    def react(world: World, now: int) -> Record | None:
        for session in world.several(TRIES * 2):
            inbox = session.person.inbox
            for place, (tail, sent, opened) in enumerate(inbox):
                if opened is after_opening and sent < now - session.shift:
                    inbox.pop(place)
                    if stays:
                        inbox.append((tail, sent, True))
                    return world.write(name, session, now, tail)
        return None


_reaction("NOTIFICATION_OPENED", False, True)
_reaction("NOTIFICATION_CLICKED", True, False)
_reaction("NOTIFICATION_DISMISSED", False, False)
