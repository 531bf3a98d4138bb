"""Courses, who takes part in them, and what is clicked there."""

from __future__ import annotations

from ingestion_layer.scripts.script import TRIES, script
from ingestion_layer.world import Record, World


@script("COURSE_ENROLLED", "course_id")
def _enrolled(world: World, now: int) -> Record | None:
    courses = world.people.courses
    if world.profiled and courses:
        person = world.profiled.popleft()
        course = world.choose(courses)
        person.enrol(course)
        world.present.away.append(person)
        return world.write_alone("COURSE_ENROLLED", person, now, course.tail)
    for session in world.several(TRIES):
        person, course = session.person, world.choose(courses)
        if course.since <= now - session.shift and len(person.enrolments) < 8 and not person.takes(course):
            person.enrol(course)
            return world.write("COURSE_ENROLLED", session, now, course.tail)
    return None


@script("COURSE_DROPPED", "course_id")
def _dropped(world: World, now: int) -> Record | None:
    for session in world.several(TRIES):
        if len(session.person.enrolments) > 2:
            course = session.person.drop(world.below(len(session.person.enrolments)))
            if session.video in course.videos:
                session.video, session.playing = None, False
            if session.quiz in course.quizzes:
                session.quiz = None
            return world.write("COURSE_DROPPED", session, now, course.tail)
    return None


@script("COURSE_CREATED", "course_id")
def _course_created(world: World, now: int) -> Record | None:
    session = world.teacher_session(lambda teacher: True)
    if session is None:
        return None
    course = world.people.announce(session.person, now)
    return world.write("COURSE_CREATED", session, now, course.tail) if course else None


@script("COURSE_DELETED", "course_id")
def _course_deleted(world: World, now: int) -> Record | None:
    announced = world.people.announced
    if not announced:
        return None
    course = world.people.withdraw(world.below(len(announced)))
    return world.write_alone("COURSE_DELETED", world.people.admins[0], now, course.tail)


def _course_click(name: str, attribute: str, *supplied: str) -> None:
    @script(name, "course_id", *supplied)
    def click(world: World, now: int) -> Record | None:
        session = world.student_session()
        if session is None:
            return None
        course = world.enrolment(session.person).course
        return world.write(name, session, now, world.choose(getattr(course, attribute)))


_course_click("ITEM_CLICK", "items", "item_id", "item_type")
_course_click("ACCESS_COURSE_MATERIAL", "materials", "material_id", "material_type")
_course_click("DOWNLOAD_MATERIAL", "resources", "resource_id")


@script("COURSE_VIEW", "course_id")
def _course_view(world: World, now: int) -> Record | None:
    session = world.student_session()
    return world.write("COURSE_VIEW", session, now, world.enrolment(session.person).course.tail) if session else None
