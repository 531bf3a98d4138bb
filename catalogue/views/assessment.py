"""Rollups and views of `assessment_topic`. Scores are kept as whole hundredths of a point."""

from catalogue.views.rollups import Rollup, earliest, latest, number, total
from catalogue.views.view import View

TOPIC = "assessment_topic"
SUBMIT, VIEW = "event_type = 'SUBMIT_ASSIGNMENT'", "event_type = 'VIEW_ASSIGNMENT_FIRST_TIME'"

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
)
