"""The views of assessments over events, one at a time, with exact integers until the last division."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

from tests.oracle.counting import Row, by, distinct, of, times, total
from tests.oracle.validity import Event, microseconds


def _mean_score(grades: list[Event]) -> float | None:
    return sum(e.fields["score"] for e in grades) / 100 / len(grades) if grades else None


def _timeline(group: list[Event]) -> Row | None:
    waits = []
    for assignment in {e.fields["assignment_id"] for e in group}:
        own = [e for e in group if e.fields["assignment_id"] == assignment]
        views = [e.ts for e in of(own, "VIEW_ASSIGNMENT_FIRST_TIME")]
        submits = [e.ts for e in of(own, "SUBMIT_ASSIGNMENT")]
        if views and submits and min(submits) >= min(views):
            waits.append(microseconds(min(submits)) - microseconds(min(views)))
    if not waits:
        return None
    return {"assignments_completed": len(waits), "avg_hours_to_submit": sum(waits) / 3.6e9 / len(waits),
            "min_hours_to_submit": min(waits) / 3.6e9, "max_hours_to_submit": max(waits) / 3.6e9}  # fmt: skip


def _overall(quizzes: list[Event], grades: list[Event]) -> list[Row]:
    done: dict[tuple, list[int]] = {}
    graded: dict[tuple, list[Event]] = {}
    for e in quizzes:
        done.setdefault((e.user_id, e.fields["course_id"]), []).append(e.fields["correct_answers"])
    for e in grades:
        graded.setdefault((e.fields["student_id"], e.fields["course_id"]), []).append(e)
    rows = []
    for key in {**done, **graded}:
        right, marks = done.get(key, []), graded.get(key, [])
        rows.append({
            "user_id": key[0], "course_id": key[1], "quizzes_completed": len(right),
            "avg_quiz_correct": total(right) / len(right) if right else None, "assignments_graded": len(marks),
            "avg_assignment_score": _mean_score(marks)})  # fmt: skip
    return rows


_PLAIN_DUE = re.compile("[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def _due(text: str) -> datetime | None:
    """The deadline that a text names; None where it isn't written as `2026-03-01 23:59:00`."""
    try:
        return datetime.fromisoformat(f"{text}+00:00") if _PLAIN_DUE.fullmatch(text) else None
    except ValueError:
        return None


def _deadline(group: list[Event]) -> Row:
    named = [due for e in of(group, "ASSIGNMENT_CREATED") if (due := _due(e.fields["due_date"]))]
    due = max(named, default=None)
    students = {e.user_id for e in group if e.type != "ASSIGNMENT_CREATED"}
    first: dict[str, datetime] = {}
    for e in of(group, "SUBMIT_ASSIGNMENT"):
        first[e.user_id] = min(first.get(e.user_id, e.ts), e.ts)
    return {"due": due, "students_at_work": len(students),
            "submitted_on_time": sum(due is not None and ts <= due for ts in first.values()),
            "submitted_late": sum(due is not None and ts > due for ts in first.values()),
            "submitted": len(first), "not_submitted": len(students - first.keys())}  # fmt: skip


def _quantile(values: list[float], part: float) -> float | None:
    """The value below which a part of them lies, between two of them by straight line."""
    if not values:
        return None
    place = part * (len(values) - 1)
    low = int(place)
    upper = sorted(values)[min(low + 1, len(values) - 1)]
    return sorted(values)[low] + (upper - sorted(values)[low]) * (place - low)


def _by_student(group: list[Event]) -> tuple[dict[str, list[int]], dict[object, list[int]]]:
    """The right answers and the grades, in hundredths of a point, of each student."""
    right: dict[str, list[int]] = {}
    marks: dict[object, list[int]] = {}
    for e in of(group, "QUIZ_COMPLETED"):
        right.setdefault(e.user_id, []).append(e.fields["correct_answers"])
    for e in of(group, "GRADE_ASSIGNMENT"):
        marks.setdefault(e.fields["student_id"], []).append(e.fields["score"])
    return right, marks


def _bands(group: list[Event]) -> Row:
    right, marks = _by_student(group)
    found: Counter[str] = Counter()
    for given in right.values():
        found[f"quiz_from_{max(n for n in range(0, 20, 2) if n * len(given) <= total(given))}"] += 1
    for scores in marks.values():
        found[f"grade_from_{max(n for n in range(0, 100, 10) if 100 * n * len(scores) <= sum(scores))}"] += 1
    return {
        "students_with_quizzes": len(right),
        **{name: found[name] for name in (f"quiz_from_{n}" for n in range(0, 20, 2))},
        **{name: found[name] for name in (f"grade_from_{n}" for n in range(0, 100, 10))},
        "students_with_grades": len(marks),
    }


def _results(group: list[Event]) -> Row:
    right, marks = _by_student(group)
    quizzes = [total(given) / len(given) for given in right.values()]
    grades = [sum(scores) / 100 / len(scores) for scores in marks.values()]
    return {"students_with_quizzes": len(quizzes), "median_quiz_correct": _quantile(quizzes, 0.5),
            "students_with_grades": len(grades), "lower_quartile_score": _quantile(grades, 0.25),
            "median_assignment_score": _quantile(grades, 0.5),
            "upper_quartile_score": _quantile(grades, 0.75)}  # fmt: skip


def assessment(events: list[Event]) -> dict[str, list[Row]]:
    """The views of assessment_topic."""
    submits, quizzes = of(events, "SUBMIT_ASSIGNMENT"), of(events, "QUIZ_COMPLETED")
    grades = of(events, "GRADE_ASSIGNMENT")

    def answers(g: list[Event]) -> Row:
        right = [e.fields["correct_answers"] for e in g]
        return {"total_quizzes_completed": len(g), "avg_correct_answers": total(right) / len(g),
                "total_correct_answers": total(right), "min_correct_answers": min(right),
                "max_correct_answers": max(right)}  # fmt: skip

    def marks(g: list[Event]) -> Row:
        scores = [e.fields["score"] for e in g]
        return {"total_assignments_graded": len(g), "avg_assignment_score": _mean_score(g),
                "min_assignment_score": min(scores) / 100, "max_assignment_score": max(scores) / 100,
                "total_assignment_score": sum(scores) / 100}  # fmt: skip

    opened = "VIEW_ASSIGNMENT_FIRST_TIME"

    def work(g: list[Event]) -> Row:
        views, handed_in = [e.ts for e in of(g, opened)], [e.ts for e in of(g, "SUBMIT_ASSIGNMENT")]
        return {"first_view": min(views, default=None), "first_submission": min(handed_in, default=None),
                "last_submission": max(handed_in, default=None), "total_submissions": len(handed_in)}  # fmt: skip

    return {
        "assessment_student_submissions": by(submits, "user_id course_id", lambda g: {
            "total_assignments_submitted": distinct(g, "assignment_id"), "total_submissions": len(g),
            **times(g, "first_submission", "last_submission")}),
        "assessment_engagement_timeline": by(
            of(events, "VIEW_ASSIGNMENT_FIRST_TIME", "SUBMIT_ASSIGNMENT"), "user_id course_id", _timeline),
        "assessment_quiz_performance": by(quizzes, "user_id course_id", answers),
        "assessment_grading_stats": by(grades, "student_id course_id", marks),
        "assessment_teacher_workload": by(
            of(events, "VIEW_STUDENT_WORK", "GRADE_ASSIGNMENT"), "user_id course_id", lambda g: {
            "total_works_viewed": len(of(g, "VIEW_STUDENT_WORK")),
            "total_assignments_graded": len(of(g, "GRADE_ASSIGNMENT")),
            "avg_score_given": _mean_score(of(g, "GRADE_ASSIGNMENT"))}),
        "assessment_submission_distribution": by(submits, "date course_id assignment_type", lambda g: {
            "submissions_count": len(g), "unique_students": distinct(g, "user_id")}),
        "assessment_student_overall_performance": _overall(quizzes, grades),
        "assessment_student_work": by(of(events, opened, "SUBMIT_ASSIGNMENT"), "user_id course_id assignment_id", work),
        "assessment_deadlines": by(
            of(events, "ASSIGNMENT_CREATED", opened, "SUBMIT_ASSIGNMENT"), "course_id assignment_id", _deadline),
        "assessment_course_results": by(of(events, "QUIZ_COMPLETED", "GRADE_ASSIGNMENT"), "course_id", _results),
        "assessment_result_bands": by(of(events, "QUIZ_COMPLETED", "GRADE_ASSIGNMENT"), "course_id", _bands),
    }  # fmt: skip
