"""Courses, who takes part in them, and what is clicked there."""

from __future__ import annotations

from ingestion_layer.scripts.script import TRIES, script


@script("COURSE_ENROLLED", "course_id")
def _enrolled(world, now):
    courses = world.people.courses
    if world.profiled and courses:
        person = world.profiled.popleft()
        course = world.choose(courses)
        person.enrolments.append([course, 0])
        world.away.append(person)
        return world.write_alone("COURSE_ENROLLED", person, now, course.tail)
    for session in world.several(TRIES):
        person, course = session.person, world.choose(courses)
        known = course.since <= now - session.shift and all(e[0] is not course for e in person.enrolments)
        if known and len(person.enrolments) < 8:
            person.enrolments.append([course, 0])
            return world.write("COURSE_ENROLLED", session, now, course.tail)
    return None


@script("COURSE_DROPPED", "course_id")
def _dropped(world, now):
    for session in world.several(TRIES):
        if len(session.person.enrolments) > 2:
            course, _ = session.person.enrolments.pop(world.below(len(session.person.enrolments)))
            return world.write("COURSE_DROPPED", session, now, course.tail)
    return None


@script("COURSE_CREATED", "course_id")
def _course_created(world, now):
    session = world.closed_course_session()
    if session is None:
        return None
    course = next(c for c in world.people.closed if c.teacher is session.person)
    world.people.closed.remove(course)
    course.active, course.since = True, now
    world.people.courses.append(course)
    return world.write("COURSE_CREATED", session, now, course.tail)


@script("COURSE_DELETED", "course_id")
def _course_deleted(world, now):
    courses = world.people.courses
    if len(courses) < 3 or len(world.people.closed) > len(courses):
        return None
    place = world.below(len(courses))
    courses[place], courses[-1] = courses[-1], courses[place]
    course = courses.pop()
    course.active = False
    world.people.closed.append(course)
    return world.write_alone("COURSE_DELETED", world.people.admins[0], now, course.tail)


def _course_click(name: str, attribute: str, *supplied: str) -> None:
    @script(name, "course_id", *supplied)
    def click(world, now):
        session = world.student_session()
        enrolment = session and world.enrolment(session.person)
        return enrolment and world.write(name, session, now, world.choose(getattr(enrolment[0], attribute)))


_course_click("ITEM_CLICK", "items", "item_id", "item_type")
_course_click("ACCESS_COURSE_MATERIAL", "materials", "material_id", "material_type")
_course_click("DOWNLOAD_MATERIAL", "resources", "resource_id")


@script("COURSE_VIEW", "course_id")
def _course_view(world, now):
    session = world.student_session()
    enrolment = session and world.enrolment(session.person)
    return enrolment and world.write("COURSE_VIEW", session, now, enrolment[0].tail)
