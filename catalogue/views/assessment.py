"""Rollups and views of `assessment_topic`. Scores are kept as whole hundredths of a point."""

from catalogue.views.rollups import Rollup, earliest, latest, number, total
from catalogue.views.view import View

TOPIC = "assessment_topic"
# Due dates are free text; one that isn't written so is none.
DUE = r"[12]\d{3}-\d\d-\d\d ([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
SUBMIT, VIEW = "event_type = 'SUBMIT_ASSIGNMENT'", "event_type = 'VIEW_ASSIGNMENT_FIRST_TIME'"

# Where the bands of students' means begin: right answers per quiz, and points.
QUIZ_BANDS, GRADE_BANDS = range(0, 20, 2), range(0, 100, 10)


def _band(total: str, number: str, begins: range, times: int = 1) -> str:
    """Where the band begins in which the mean of a whole `total` is, of which `times` make one."""
    width = begins.step
    return f"least(whole({total}) // ({width * times} * whole({number})) * {width}, {begins[-1]})"


def _bands(column: str, begins: range, what: str) -> str:
    """Columns that count the students whose mean is in each band; the last band has no end."""
    words = {start: f"from {start} to below {start + begins.step}" for start in begins}
    words[begins[-1]] = f"{begins[-1]} or more"
    return "\n    ".join(
        f"count(*) FILTER (WHERE {column} = {start}) AS {column}_from_{start},  -- of them, {words[start]} {what}"
        for start in begins
    )


ROLLUPS = (
    Rollup(
        "assessment_work",
        TOPIC,
        ("user_id", "course_id", "assignment_id"),
        (
            number("submissions", SUBMIT),
            earliest("first_submission", where=SUBMIT),
            latest("last_submission", where=SUBMIT),
            earliest("first_view", where=VIEW),
        ),
        "event_type IN ('SUBMIT_ASSIGNMENT', 'VIEW_ASSIGNMENT_FIRST_TIME')",
    ),
    Rollup(
        "assessment_submissions",
        TOPIC,
        ("date", "course_id", "assignment_type", "user_id"),
        (number("submissions"),),
        SUBMIT,
    ),
    Rollup(
        "assessment_quizzes",
        TOPIC,
        ("user_id", "course_id"),
        (
            number("quizzes"),
            total("correct", "correct_answers"),
            earliest("fewest", "correct_answers"),
            latest("most", "correct_answers"),
        ),
        "event_type = 'QUIZ_COMPLETED'",
    ),
    Rollup(
        "assessment_grades",
        TOPIC,
        ("student_id", "user_id", "course_id"),
        (number("grades"), total("score", "score"), earliest("lowest", "score"), latest("highest", "score")),
        "event_type = 'GRADE_ASSIGNMENT'",
    ),
    Rollup(
        "assessment_reviews",
        TOPIC,
        ("user_id", "course_id"),
        (number("works_viewed"),),
        "event_type = 'VIEW_STUDENT_WORK'",
    ),
    Rollup(
        "assessment_deadlines_set",
        TOPIC,
        ("course_id", "assignment_id", "due_date"),
        (number("times"),),
        "event_type = 'ASSIGNMENT_CREATED'",
    ),
)

VIEWS = (
    View(
        "assessment_student_submissions",
        TOPIC,
        ("user_id", "course_id"),
        """
SELECT
    user_id,  -- student
    course_id,  -- course
    count(DISTINCT assignment_id) AS total_assignments_submitted,  -- assignments handed in
    whole(submissions) AS total_submissions,  -- submissions, repeated ones included
    utc(min(first_submission)) AS first_submission,  -- earliest submission
    utc(max(last_submission)) AS last_submission  -- latest submission
FROM assessment_work WHERE submissions > 0 GROUP BY user_id, course_id""",
    ),
    View(
        "assessment_engagement_timeline",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH timeline AS (
    SELECT user_id, course_id, epoch_us(first_submission) - epoch_us(first_view) AS us
    FROM assessment_work WHERE first_submission >= first_view
)
SELECT
    user_id,  -- student
    course_id,  -- course
    count(*) AS assignments_completed,  -- assignments viewed and then handed in
    sum(us) / 3600e6 / count(*) AS avg_hours_to_submit,  -- mean hours from first view to first submission
    min(us) / 3600e6 AS min_hours_to_submit,  -- fewest hours
    max(us) / 3600e6 AS max_hours_to_submit  -- most hours
FROM timeline GROUP BY user_id, course_id""",
    ),
    View(
        "assessment_quiz_performance",
        TOPIC,
        ("user_id", "course_id"),
        """
SELECT
    user_id,  -- student
    course_id,  -- course
    whole(quizzes) AS total_quizzes_completed,  -- quizzes finished
    whole(correct) / whole(quizzes) AS avg_correct_answers,  -- mean right answers per quiz
    whole(correct) AS total_correct_answers,  -- right answers
    min(fewest) AS min_correct_answers,  -- fewest right answers in a quiz
    max(most) AS max_correct_answers  -- most right answers in a quiz
FROM assessment_quizzes GROUP BY user_id, course_id""",
    ),
    View(
        "assessment_grading_stats",
        TOPIC,
        ("student_id", "course_id"),
        """
SELECT
    student_id,  -- student
    course_id,  -- course
    whole(grades) AS total_assignments_graded,  -- grades received
    whole(score) / 100.0 / whole(grades) AS avg_assignment_score,  -- mean grade in points
    min(lowest) / 100.0 AS min_assignment_score,  -- lowest grade in points
    max(highest) / 100.0 AS max_assignment_score,  -- highest grade in points
    whole(score) / 100.0 AS total_assignment_score  -- sum of grades in points
FROM assessment_grades GROUP BY student_id, course_id""",
    ),
    View(
        "assessment_teacher_workload",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH work AS (
    SELECT user_id, course_id, works_viewed, 0 AS grades, NULL AS score FROM assessment_reviews
    UNION ALL
    SELECT user_id, course_id, 0 AS works_viewed, grades, score FROM assessment_grades
)
SELECT
    user_id,  -- teacher
    course_id,  -- course
    whole(works_viewed) AS total_works_viewed,  -- works looked at
    whole(grades) AS total_assignments_graded,  -- grades given
    whole(score) / 100.0 / nullif(whole(grades), 0) AS avg_score_given  -- mean grade in points, NULL if none
FROM work GROUP BY user_id, course_id""",
    ),
    View(
        "assessment_submission_distribution",
        TOPIC,
        ("date", "course_id", "assignment_type"),
        """
SELECT
    date,  -- UTC day
    course_id,  -- course
    assignment_type,  -- type of assignment
    whole(submissions) AS submissions_count,  -- submissions
    count(DISTINCT user_id) AS unique_students  -- students who handed in
FROM assessment_submissions GROUP BY date, course_id, assignment_type""",
    ),
    View(
        "assessment_student_overall_performance",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH performance AS (
    SELECT user_id, course_id, quizzes, correct, 0 AS grades, NULL AS score FROM assessment_quizzes
    UNION ALL
    SELECT student_id, course_id, 0 AS quizzes, NULL AS correct, grades, score FROM assessment_grades
)
SELECT
    user_id,  -- student
    course_id,  -- course
    whole(quizzes) AS quizzes_completed,  -- quizzes finished
    whole(correct) / nullif(whole(quizzes), 0) AS avg_quiz_correct,  -- mean right answers per quiz
    whole(grades) AS assignments_graded,  -- grades received
    whole(score) / 100.0 / nullif(whole(grades), 0) AS avg_assignment_score  -- mean grade in points
FROM performance GROUP BY user_id, course_id""",
        sharded_by=(("assessment_grades", "student_id"),),
    ),
    View(
        "assessment_student_work",
        TOPIC,
        ("user_id", "course_id", "assignment_id"),
        """
SELECT
    user_id,  -- student
    course_id,  -- course
    assignment_id,  -- assignment
    utc(min(first_view)) AS first_view,  -- when it was opened first, NULL if never
    utc(min(first_submission)) AS first_submission,  -- when it was first handed in, NULL if never
    utc(max(last_submission)) AS last_submission,  -- when it was last handed in
    whole(submissions) AS total_submissions  -- submissions
FROM assessment_work GROUP BY user_id, course_id, assignment_id""",
        further=True,
    ),
    View(
        "assessment_deadlines",
        TOPIC,
        ("course_id", "assignment_id"),
        f"""
WITH work AS (
    SELECT course_id, assignment_id, user_id, first_submission, NULL::TIMESTAMP AS due FROM assessment_work
    UNION ALL
    SELECT
        course_id,
        assignment_id,
        NULL AS user_id,
        NULL AS first_submission,
        CASE
            WHEN regexp_full_match(due_date, '{DUE}')
                THEN try_cast(due_date AS TIMESTAMP)
        END AS due
    FROM assessment_deadlines_set
), dated AS (SELECT *, max(due) OVER (PARTITION BY course_id, assignment_id) AS deadline FROM work)
SELECT
    course_id,  -- course
    assignment_id,  -- assignment
    utc(max(deadline)) AS due,  -- the latest deadline that was set, NULL if none is known
    count(user_id) AS students_at_work,  -- students who opened it or handed it in
    count(user_id) FILTER (WHERE first_submission <= deadline) AS submitted_on_time,  -- of them, in time
    count(user_id) FILTER (WHERE first_submission > deadline) AS submitted_late,  -- of them, after the deadline
    count(first_submission) AS submitted,  -- of them, handed in at all
    count(user_id) FILTER (WHERE first_submission IS NULL) AS not_submitted  -- of them, opened and not handed in
FROM dated GROUP BY course_id, assignment_id""",
        further=True,
    ),
    View(
        "assessment_course_results",
        TOPIC,
        ("course_id",),
        """
WITH students AS (
    SELECT course_id, whole(correct) / whole(quizzes) AS quiz, NULL::DOUBLE AS grade
    FROM assessment_quizzes GROUP BY user_id, course_id
    UNION ALL
    SELECT course_id, NULL AS quiz, whole(score) / 100.0 / whole(grades) AS grade
    FROM assessment_grades GROUP BY student_id, course_id
)
SELECT
    course_id,  -- course
    count(quiz) AS students_with_quizzes,  -- students who finished a quiz
    median(quiz) AS median_quiz_correct,  -- median of the students' mean right answers per quiz
    count(grade) AS students_with_grades,  -- students who were graded
    quantile_cont(grade, 0.25) AS lower_quartile_score,  -- a quarter of the students' mean grades is at most this
    median(grade) AS median_assignment_score,  -- median of the students' mean grades in points
    quantile_cont(grade, 0.75) AS upper_quartile_score  -- three quarters are at most this
FROM students GROUP BY course_id""",
        further=True,
    ),
    View(
        "assessment_result_bands",
        TOPIC,
        ("course_id",),
        f"""
WITH students AS (
    SELECT course_id, {_band("correct", "quizzes", QUIZ_BANDS)} AS quiz, NULL::BIGINT AS grade
    FROM assessment_quizzes GROUP BY user_id, course_id
    UNION ALL
    SELECT course_id, NULL AS quiz, {_band("score", "grades", GRADE_BANDS, 100)} AS grade
    FROM assessment_grades GROUP BY student_id, course_id
)
SELECT
    course_id,  -- course
    count(quiz) AS students_with_quizzes,  -- students who finished a quiz
    {_bands("quiz", QUIZ_BANDS, "right answers per quiz")}
    {_bands("grade", GRADE_BANDS, "points as mean grade")}
    count(grade) AS students_with_grades  -- students who were graded
FROM students GROUP BY course_id""",
        further=True,
    ),
)
