"""Assignments, quizzes and grades."""

from dataclasses import replace
from random import Random

from catalogue.events.fields import ASSIGNMENT, ASSIGNMENT_TYPES, COURSE, QUIZ, STUDENT
from catalogue.events.schema import EventType, Field, Kind, Topic, choice, count, text


def _day(rng: Random) -> str:
    return f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} 23:59:00"


ASSIGNMENT_TYPE = choice("assignment_type", ASSIGNMENT_TYPES, "Type of the assignment.")
FILE_URL = text("file_url", "Where the file is.", lambda rng: f"files/{rng.randint(1, 9**9)}.pdf", required=False)
SCORE = Field("score", Kind.SCORE, "Grade in points, 0 to 100.", fake=lambda rng: rng.randint(0, 400) / 4)
FEEDBACK = text(
    "feedback", "What the teacher wrote.", lambda rng: rng.choice(("Good", "See notes", "Well done")), False
)

TOPIC = Topic(
    name="assessment_topic",
    category="ASSESSMENT",
    partitions=5,
    retention_days=1826,
    share=0.25,
    job="assessment",
    event_types=(
        EventType(
            "ASSIGNMENT_CREATED",
            "A teacher set an assignment.",
            (ASSIGNMENT, COURSE, ASSIGNMENT_TYPE, text("due_date", "When it is due.", _day)),
            0.01,
            "teacher",
        ),
        EventType(
            "VIEW_ASSIGNMENT_FIRST_TIME",
            "A student opened an assignment for the first time.",
            (ASSIGNMENT, COURSE, ASSIGNMENT_TYPE),
            0.22,
        ),
        EventType(
            "SUBMIT_ASSIGNMENT",
            "A student handed work in.",
            (ASSIGNMENT, COURSE, replace(ASSIGNMENT_TYPE, required=False), FILE_URL),
            0.18,
        ),
        EventType("EDIT_ASSIGNMENT", "A student changed handed-in work.", (ASSIGNMENT, COURSE, FILE_URL), 0.06),
        EventType("DELETE_ASSIGNMENT", "A student withdrew handed-in work.", (ASSIGNMENT,), 0.01),
        EventType("QUIZ_STARTED", "A student began a quiz.", (QUIZ, COURSE), 0.13),
        EventType(
            "QUIZ_COMPLETED",
            "A student finished a quiz.",
            (
                QUIZ,
                COURSE,
                count("correct_answers", "Questions answered rightly.", 20),
                count("total_questions", "Questions asked.", 20, required=False),
            ),
            0.12,
        ),
        EventType(
            "VIEW_STUDENT_WORK", "A teacher looked at a student's work.", (STUDENT, ASSIGNMENT, COURSE), 0.14, "teacher"
        ),
        EventType(
            "GRADE_ASSIGNMENT",
            "A teacher graded a student's work.",
            (STUDENT, ASSIGNMENT, COURSE, SCORE, FEEDBACK),
            0.12,
            "teacher",
        ),
        EventType(
            "ASSIGNMENT_REOPENED",
            "A teacher let a student hand in again.",
            (STUDENT, ASSIGNMENT, text("new_due_date", "When it is due now.", _day)),
            0.01,
            "teacher",
        ),
    ),
)
