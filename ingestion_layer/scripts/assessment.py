"""Assignments from being set to being graded, and quizzes."""

from __future__ import annotations

from collections import deque

from ingestion_layer.clock import next_deadline
from ingestion_layer.population import GRADED, HANDED_IN, VIEWED, WITHDRAWN, Assignment, Work, fragment
from ingestion_layer.scripts.script import TRIES, script
from ingestion_layer.world import Record, World


@script("ASSIGNMENT_CREATED", "assignment_id", "course_id", "assignment_type", "due_date")
def _assignment_created(world: World, now: int) -> Record | None:
    session = world.teacher_session(lambda teacher: teacher.courses)
    if session is None:
        return None
    course = world.choose(session.person.courses)
    world.people.assignments += 1
    kind = world.choose(world.assignment_types)
    assignment = Assignment(world.people.assignments, course, kind, now)
    course.assignments.append(assignment)
    due = fragment(due_date=world.stamp(next_deadline(now, 1))[:19])
    return world.write("ASSIGNMENT_CREATED", session, now, assignment.tail + assignment.type + due)


@script("VIEW_ASSIGNMENT_FIRST_TIME", "assignment_id", "course_id", "assignment_type")
def _view_assignment(world: World, now: int) -> Record | None:
    for session in world.several(TRIES):
        enrolment = world.enrolment(session.person)
        if enrolment.seen < len(enrolment.course.assignments):
            assignment = enrolment.course.assignments[enrolment.seen]
            if assignment.since <= now - session.shift:
                enrolment.seen += 1
                session.person.pending.append(Work(session.person, assignment, now - session.shift))
                return world.write("VIEW_ASSIGNMENT_FIRST_TIME", session, now, assignment.tail + assignment.type)
    return None


@script("SUBMIT_ASSIGNMENT", "assignment_id", "course_id", "assignment_type")
def _submit(world: World, now: int) -> Record | None:
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
def _edit(world: World, now: int) -> Record | None:
    for session in world.several(TRIES * 2):
        handed_in = session.person.handed_in
        if handed_in and handed_in[-1].state in (HANDED_IN, VIEWED):
            return world.write("EDIT_ASSIGNMENT", session, now, handed_in[-1].assignment.tail)
    return None


@script("DELETE_ASSIGNMENT", "assignment_id")
def _delete(world: World, now: int) -> Record | None:
    for session in world.several(TRIES * 2):
        handed_in = session.person.handed_in
        if handed_in and handed_in[-1].state == HANDED_IN:
            work = handed_in.pop()
            work.state = WITHDRAWN
            session.person.pending.append(Work(session.person, work.assignment, now - session.shift))
            return world.write("DELETE_ASSIGNMENT", session, now, work.assignment.tail)
    return None


@script("QUIZ_STARTED", "quiz_id", "course_id")
def _quiz_started(world: World, now: int) -> Record | None:
    session = world.student_session()
    if session is None:
        return None
    session.quiz = world.choose(world.enrolment(session.person).course.quizzes)
    return world.write("QUIZ_STARTED", session, now, session.quiz)


@script("QUIZ_COMPLETED", "quiz_id", "course_id", "correct_answers", "total_questions")
def _quiz_completed(world: World, now: int) -> Record | None:
    for session in world.several(TRIES * 2):
        if session.quiz:
            quiz, session.quiz = session.quiz, None
            right = min(20, 8 + world.below(14))
            return world.write("QUIZ_COMPLETED", session, now, f'{quiz},"correct_answers":{right},"total_questions":20')
    return None


def _next(works: deque[Work], state: int) -> Work | None:
    """The first of a teacher's works in a state; those of students who left the course are nobody's business."""
    while works:
        work = works.popleft()
        if work.state == state and work.student.takes(work.assignment.course):
            return work
    return None


def _works_tail(work: Work) -> str:
    return f',"student_id":"{work.student.id}"{work.assignment.tail}'


@script("VIEW_STUDENT_WORK", "student_id", "assignment_id", "course_id")
def _view_work(world: World, now: int) -> Record | None:
    session = world.teacher_session(lambda teacher: teacher.to_view)
    work = _next(session.person.to_view, HANDED_IN) if session else None
    if session is None or work is None:
        return None
    work.state = VIEWED
    session.person.to_grade.append(work)
    return world.write("VIEW_STUDENT_WORK", session, now, _works_tail(work))


@script("GRADE_ASSIGNMENT", "student_id", "assignment_id", "course_id", "score")
def _grade(world: World, now: int) -> Record | None:
    session = world.teacher_session(lambda teacher: teacher.to_grade)
    work = _next(session.person.to_grade, VIEWED) if session else None
    if session is None or work is None:
        return None
    work.state = GRADED
    session.person.graded.append(work)
    world.news.append((work.student, "grade_posted", work.assignment.id))
    score = min(100, 40 + world.below(70)) - world.below(4) / 4
    return world.write("GRADE_ASSIGNMENT", session, now, f'{_works_tail(work)},"score":{score:g}')


@script("ASSIGNMENT_REOPENED", "student_id", "assignment_id", "new_due_date")
def _reopened(world: World, now: int) -> Record | None:
    session = world.teacher_session(lambda teacher: teacher.graded)
    work = _next(session.person.graded, GRADED) if session else None
    if session is None or work is None:
        return None
    work.student.pending.append(Work(work.student, work.assignment, now))
    due = fragment(new_due_date=world.stamp(next_deadline(now, 1))[:19])
    return world.write("ASSIGNMENT_REOPENED", session, now, _works_tail(work) + due)
