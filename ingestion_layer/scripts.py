"""What each type of event does to the world, so that only events happen that could have happened.

A script is a function of the world and the moment. It returns the event, or None where its preconditions do not hold
just now: nobody has work to hand in, no teacher is logged in. Fields that a script does not supply, and whole types
without a script, are filled from the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ingestion_layer.clock import SECOND, next_deadline
from ingestion_layer.population import Assignment, fragment

if TYPE_CHECKING:
    from ingestion_layer.simulation import Simulation

Script = Callable[["Simulation", int], "tuple[str, bytes, bytes] | None"]
SCRIPTS: dict[str, Script] = {}
SUPPLIED: dict[str, frozenset[str]] = {}
PENDING, HANDED_IN, VIEWED, GRADED, WITHDRAWN = range(5)
TRIES = 4


class Work:
    """A student's work on an assignment; `since` is when its present state began."""

    __slots__ = ("assignment", "since", "state", "student")

    def __init__(self, student, assignment: Assignment, since: int):
        self.student, self.assignment, self.since, self.state = student, assignment, since, PENDING


def script(name: str, *supplied: str) -> Callable[[Script], Script]:
    """Register the script of an event type and the fields that it supplies."""

    def register(function: Script) -> Script:
        SCRIPTS[name] = function
        SUPPLIED[name] = frozenset(supplied)
        return function

    return register


@script("LOGIN", "role", "session_id")
def _login(world, now):
    person = world.next_visitor(now)
    return person and world.write("LOGIN", world.open_session(person, now), now, world.session_tail)


@script("LOGOUT", "role", "session_id")
def _logout(world, now):
    session = world.leaving()
    return session and world.write("LOGOUT", world.close_session(session), now, session.tail)


@script("SESSION_EXPIRED", "session_id")
def _expired(world, now):
    session = world.leaving()
    return session and world.write("SESSION_EXPIRED", world.close_session(session), now, session.tail)


@script("SIGNUP", "role", "email")
def _signup(world, now):
    if not world.people.newcomers:
        return None
    person = world.people.newcomers.popleft()
    world.signed_up.append(person)
    return world.write_alone("SIGNUP", person, now, fragment(email=world.people.profile(person)["email"]))


@script("LOGIN_FAILED")
def _login_failed(world, now):
    return world.away and world.write_alone("LOGIN_FAILED", world.choose(world.away), now, "")


@script(
    "CREATE_PROFILE",
    "role",
    "email",
    "full_name",
    "date_of_birth",
    "gender",
    "phone_number",
    "major",
    "enrollment_year",
)
def _create_profile(world, now):
    if not world.signed_up:
        return None
    person = world.signed_up.popleft()
    world.profiled.append(person)
    return world.write_alone("CREATE_PROFILE", person, now, fragment(**world.people.profile(person)))


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


@script("ASSIGNMENT_CREATED", "assignment_id", "course_id", "assignment_type", "due_date")
def _assignment_created(world, now):
    session = world.teacher_session(lambda teacher: any(c.active for c in teacher.courses))
    if session is None:
        return None
    course = world.choose([c for c in session.person.courses if c.active])
    world.people.assignments += 1
    kind = world.choose(world.assignment_types)
    assignment = Assignment(world.people.assignments, course, kind, now)
    course.assignments.append(assignment)
    due = fragment(due_date=world.stamp(next_deadline(now, 1))[:19])
    return world.write("ASSIGNMENT_CREATED", session, now, assignment.tail + assignment.type + due)


@script("VIEW_ASSIGNMENT_FIRST_TIME", "assignment_id", "course_id", "assignment_type")
def _view_assignment(world, now):
    for session in world.several(TRIES):
        enrolment = world.enrolment(session.person)
        if enrolment and enrolment[1] < len(enrolment[0].assignments):
            assignment = enrolment[0].assignments[enrolment[1]]
            if assignment.since <= now - session.shift:
                enrolment[1] += 1
                session.person.pending.append(Work(session.person, assignment, now - session.shift))
                return world.write("VIEW_ASSIGNMENT_FIRST_TIME", session, now, assignment.tail + assignment.type)
    return None


@script("SUBMIT_ASSIGNMENT", "assignment_id", "course_id", "assignment_type")
def _submit(world, now):
    for session in world.several(TRIES * 2):
        pending = session.person.pending
        if pending and pending[0].since < now - session.shift:
            work = pending.popleft()
            work.state, work.since = HANDED_IN, now - session.shift
            handed_in = session.person.handed_in
            handed_in[:] = [w for w in handed_in[-8:] if w.state in (HANDED_IN, VIEWED)]
            handed_in.append(work)
            work.assignment.course.teacher.to_view.append(work)
            return world.write("SUBMIT_ASSIGNMENT", session, now, work.assignment.tail + work.assignment.type)
    return None


@script("EDIT_ASSIGNMENT", "assignment_id", "course_id")
def _edit(world, now):
    for session in world.several(TRIES * 2):
        handed_in = session.person.handed_in
        if handed_in and handed_in[-1].state in (HANDED_IN, VIEWED):
            return world.write("EDIT_ASSIGNMENT", session, now, handed_in[-1].assignment.tail)
    return None


@script("DELETE_ASSIGNMENT", "assignment_id")
def _delete(world, now):
    for session in world.several(TRIES * 2):
        handed_in = session.person.handed_in
        if handed_in and handed_in[-1].state == HANDED_IN:
            work = handed_in.pop()
            work.state = WITHDRAWN
            session.person.pending.append(Work(session.person, work.assignment, now - session.shift))
            return world.write("DELETE_ASSIGNMENT", session, now, work.assignment.tail)
    return None


@script("QUIZ_STARTED", "quiz_id", "course_id")
def _quiz_started(world, now):
    session = world.student_session()
    enrolment = session and world.enrolment(session.person)
    if not enrolment:
        return None
    session.quiz = world.choose(enrolment[0].quizzes)
    return world.write("QUIZ_STARTED", session, now, session.quiz)


@script("QUIZ_COMPLETED", "quiz_id", "course_id", "correct_answers", "total_questions")
def _quiz_completed(world, now):
    for session in world.several(TRIES * 2):
        if session.quiz:
            quiz, session.quiz = session.quiz, None
            right = min(20, 8 + world.below(14))
            return world.write("QUIZ_COMPLETED", session, now, f'{quiz},"correct_answers":{right},"total_questions":20')
    return None


def _works_tail(work: Work) -> str:
    return f',"student_id":"{work.student.id}"{work.assignment.tail}'


@script("VIEW_STUDENT_WORK", "student_id", "assignment_id", "course_id")
def _view_work(world, now):
    session = world.teacher_session(lambda teacher: teacher.to_view)
    while session and session.person.to_view:
        work = session.person.to_view.popleft()
        if work.state == HANDED_IN:
            work.state = VIEWED
            session.person.to_grade.append(work)
            return world.write("VIEW_STUDENT_WORK", session, now, _works_tail(work))
    return None


@script("GRADE_ASSIGNMENT", "student_id", "assignment_id", "course_id", "score")
def _grade(world, now):
    session = world.teacher_session(lambda teacher: teacher.to_grade)
    if session is None:
        return None
    work = session.person.to_grade.popleft()
    work.state = GRADED
    session.person.graded.append(work)
    world.news.append((work.student, "grade_posted", work.assignment.id))
    score = min(100, 40 + world.below(70)) - world.below(4) / 4
    return world.write("GRADE_ASSIGNMENT", session, now, f'{_works_tail(work)},"score":{score:g}')


@script("ASSIGNMENT_REOPENED", "student_id", "assignment_id", "new_due_date")
def _reopened(world, now):
    session = world.teacher_session(lambda teacher: teacher.graded)
    if session is None:
        return None
    work = session.person.graded.popleft()
    work.student.pending.append(Work(work.student, work.assignment, now))
    due = fragment(new_due_date=world.stamp(next_deadline(now, 1))[:19])
    return world.write("ASSIGNMENT_REOPENED", session, now, _works_tail(work) + due)


@script("NOTIFICATION_SENT", "notification_id", "notification_type", "related_object_id")
def _sent(world, now):
    session = world.student_session()
    if session is None:
        return None
    if world.news:
        person, kind, about = world.news.popleft()
    else:
        person, kind = session.person, world.fake(world.notification_type)
        about = person.pending[0].assignment.id if person.pending else "ASM001"
    world.notifications += 1
    tail = f',"notification_id":"NOTIF{world.notifications:03}"' + fragment(notification_type=kind)
    if person.role == "student":
        person.inbox = [*person.inbox[-4:], (tail, now, False)]
    return world.write_plain("NOTIFICATION_SENT", person, now, tail + fragment(related_object_id=about))


def _reaction(name: str, after_opening: bool, stays: bool) -> None:
    @script(name, "notification_id", "notification_type")
    def react(world, now):
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


def _reached(session, now: int) -> int:
    """Second of the video at which the session is."""
    played = (now - session.since) // SECOND if session.playing else 0
    return min(session.video[1], session.position + played)


@script("VIDEO_STARTED", "video_id", "course_id", "session_id", "position_seconds")
def _started(world, now):
    for session in world.several(3):
        if session.playing:
            continue
        if session.video is None or world.below(4) == 0:
            enrolment = world.enrolment(session.person)
            if not enrolment:
                continue
            session.video, session.position = world.choose(enrolment[0].videos), 0
        session.playing, session.since, session.mark = True, now, now
        return world.write("VIDEO_STARTED", session, now, _position(session, session.position))
    return None


def _position(session, second: int) -> str:
    return f'{session.video[0]}{session.tail},"position_seconds":{second}'


@script("VIDEO_PAUSED", "video_id", "course_id", "session_id", "position_seconds")
def _paused(world, now):
    for session in world.several(TRIES):
        if session.playing:
            session.position, session.playing = _reached(session, now), False
            return world.write("VIDEO_PAUSED", session, now, _position(session, session.position))
    return None


@script("VIDEO_SEEKED", "video_id", "course_id", "session_id", "from_seconds", "to_seconds")
def _seeked(world, now):
    for session in world.several(TRIES):
        if session.video:
            before, length = _reached(session, now), session.video[1]
            session.position = min(length, before + world.below(length)) if world.below(3) else world.below(before + 1)
            session.since = now
            span = f',"from_seconds":{before},"to_seconds":{session.position}'
            return world.write("VIDEO_SEEKED", session, now, session.video[0] + session.tail + span)
    return None


@script("VIDEO_COMPLETED", "video_id", "course_id", "session_id", "position_seconds")
def _completed(world, now):
    for session in world.several(TRIES * 2):
        if session.playing and _reached(session, now) >= session.video[1] * 0.9:
            event = world.write("VIDEO_COMPLETED", session, now, _position(session, _reached(session, now)))
            session.video, session.playing = None, False
            return event
    return None


@script("VIDEO_WATCHED", "video_id", "course_id", "watch_duration_seconds", "session_id", "video_duration_seconds")
def _watched(world, now):
    session = world.student_session()
    if session is None:
        return None
    video = session.video
    if session.playing:
        since, session.mark = session.mark, now
    else:
        enrolment = world.enrolment(session.person)
        if not enrolment:
            return None
        video, since = world.choose(enrolment[0].videos), session.last
    watched = min(video[1], (now - since) // SECOND)
    tail = f'{video[0]}{session.tail},"watch_duration_seconds":{watched},"video_duration_seconds":{video[1]}'
    return world.write("VIDEO_WATCHED", session, now, tail)
