"""Rollups and views of `course_topic`."""

from catalogue.views.rollups import Rollup, earliest, latest, number
from catalogue.views.view import View

TOPIC = "course_topic"

ROLLUPS = (
    Rollup(
        "course_activity",
        TOPIC,
        ("date", "user_id", "course_id", "event_type"),
        (number("events"), number("student_events", "role = 'student'")),
    ),
    Rollup(
        "course_materials",
        TOPIC,
        ("user_id", "course_id", "material_id", "material_type"),
        (number("accesses"), earliest("first_access"), latest("last_access")),
        "event_type = 'ACCESS_COURSE_MATERIAL'",
    ),
    Rollup(
        "course_hours",
        TOPIC,
        ("date", "hour", "course_id"),
        (number("events"),),
    ),
    Rollup(
        "course_offers",
        TOPIC,
        ("course_id", "semester"),
        (earliest("first_created"),),
        "event_type = 'COURSE_CREATED'",
    ),
    Rollup(
        "course_downloads",
        TOPIC,
        ("user_id", "course_id", "resource_id"),
        (number("downloads"),),
        "event_type = 'DOWNLOAD_MATERIAL'",
    ),
)

VIEWS = (
    View(
        "course_enrollment_stats",
        TOPIC,
        ("date", "course_id"),
        """
SELECT
    date,  -- UTC day
    course_id,  -- course
    whole(events) AS new_enrollments,  -- enrolments
    count(DISTINCT user_id) AS unique_new_students  -- students who enrolled
FROM course_activity WHERE event_type = 'COURSE_ENROLLED' GROUP BY date, course_id""",
    ),
    View(
        "course_material_access",
        TOPIC,
        ("user_id", "course_id"),
        """
SELECT
    user_id,  -- user
    course_id,  -- course
    whole(accesses) AS total_material_accesses,  -- times a material was opened
    count(DISTINCT material_id) AS unique_materials_accessed,  -- materials opened
    utc(min(first_access)) AS first_access,  -- earliest opening
    utc(max(last_access)) AS last_access  -- latest opening
FROM course_materials GROUP BY user_id, course_id""",
    ),
    View(
        "course_material_popularity",
        TOPIC,
        ("course_id", "material_id", "material_type"),
        """
SELECT
    course_id,  -- course
    material_id,  -- material
    material_type,  -- type of the material
    count(DISTINCT user_id) AS unique_accessors,  -- users who opened it
    whole(accesses) AS total_accesses  -- times it was opened
FROM course_materials GROUP BY course_id, material_id, material_type""",
    ),
    View(
        "course_download_analytics",
        TOPIC,
        ("user_id", "course_id"),
        """
SELECT
    user_id,  -- user
    course_id,  -- course
    whole(downloads) AS total_downloads,  -- downloads
    count(DISTINCT resource_id) AS unique_resources_downloaded  -- resources downloaded
FROM course_downloads GROUP BY user_id, course_id""",
    ),
    View(
        "course_resource_download_stats",
        TOPIC,
        ("course_id", "resource_id"),
        """
SELECT
    course_id,  -- course
    resource_id,  -- resource
    count(DISTINCT user_id) AS unique_downloaders,  -- users who downloaded it
    whole(downloads) AS total_download_count  -- downloads
FROM course_downloads GROUP BY course_id, resource_id""",
    ),
    View(
        "course_activity_summary",
        TOPIC,
        ("user_id",),
        """
SELECT
    user_id,  -- user
    count(DISTINCT course_id) FILTER (WHERE event_type = 'COURSE_ENROLLED') AS courses_enrolled,  -- courses joined
    coalesce(sum(events) FILTER (WHERE event_type = 'ACCESS_COURSE_MATERIAL'), 0)::BIGINT
        AS total_material_accesses,  -- times a material was opened
    count(DISTINCT course_id) FILTER (WHERE event_type = 'ACCESS_COURSE_MATERIAL')
        AS courses_with_material_access,  -- courses in which a material was opened
    coalesce(sum(events) FILTER (WHERE event_type = 'DOWNLOAD_MATERIAL'), 0)::BIGINT
        AS total_downloads  -- downloads
FROM course_activity
WHERE event_type IN ('COURSE_ENROLLED', 'ACCESS_COURSE_MATERIAL', 'DOWNLOAD_MATERIAL') GROUP BY user_id""",
    ),
    View(
        "course_daily_engagement",
        TOPIC,
        ("date", "course_id", "event_type"),
        """
SELECT
    date,  -- UTC day
    course_id,  -- course
    event_type,  -- type of event
    count(DISTINCT user_id) AS unique_users,  -- users
    whole(events) AS event_count  -- events
FROM course_activity GROUP BY date, course_id, event_type""",
    ),
    View(
        "course_overall_metrics",
        TOPIC,
        ("course_id",),
        """
SELECT
    course_id,  -- course
    coalesce(sum(events) FILTER (WHERE event_type = 'COURSE_ENROLLED'), 0)::BIGINT AS total_enrollments,  -- enrolments
    coalesce(sum(events) FILTER (WHERE event_type = 'ACCESS_COURSE_MATERIAL'), 0)::BIGINT
        AS total_material_accesses,  -- times a material was opened
    coalesce(sum(events) FILTER (WHERE event_type = 'DOWNLOAD_MATERIAL'), 0)::BIGINT
        AS total_downloads,  -- downloads
    count(DISTINCT user_id) FILTER (WHERE student_events > 0) AS unique_students_interacting  -- students active
FROM course_activity GROUP BY course_id""",
    ),
    View(
        "course_hourly_engagement",
        TOPIC,
        ("date", "hour", "course_id"),
        """
SELECT
    date,  -- UTC day
    hour,  -- UTC hour, 0 to 23
    course_id,  -- course
    whole(events) AS event_count  -- events
FROM course_hours GROUP BY date, hour, course_id""",
        further=True,
    ),
    View(
        "course_terms",
        TOPIC,
        ("course_id", "semester"),
        """
SELECT
    course_id,  -- course
    semester,  -- term that it was created for
    utc(min(first_created)) AS created_at  -- when it was first created for the term
FROM course_offers GROUP BY course_id, semester""",
        further=True,
    ),
    View(
        "course_student_activity",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH days AS (
    SELECT
        user_id,
        course_id,
        date,
        event_type,
        student_events,
        max(date) OVER (PARTITION BY user_id, course_id) AS last_day
    FROM course_activity WHERE student_events > 0
)
SELECT
    user_id,  -- student
    course_id,  -- course
    min(date) FILTER (WHERE event_type = 'COURSE_ENROLLED') AS enrolled_on,  -- first day of enrolment
    max(date) FILTER (WHERE event_type = 'COURSE_DROPPED') AS dropped_on,  -- last day of leaving
    min(date) AS first_active,  -- first day in the course
    max(date) AS last_active,  -- last day in the course
    count(DISTINCT date) AS active_days,  -- days in the course
    whole(student_events) AS total_events,  -- events
    whole(CASE WHEN event_type = 'ACCESS_COURSE_MATERIAL' THEN student_events ELSE 0 END)
        AS materials_opened,  -- times a material was opened
    whole(CASE WHEN date > last_day - 7 THEN student_events ELSE 0 END)
        AS events_last_week,  -- events in the 7 days that end with the last one
    whole(CASE WHEN date <= last_day - 7 AND date > last_day - 14 THEN student_events ELSE 0 END)
        AS events_week_before,  -- events in the 7 days before those
    100.0 * events_last_week / nullif(events_week_before, 0)
        AS share_of_week_before  -- the last week as percent of the week before, NULL if nothing happened in that
FROM days GROUP BY user_id, course_id""",
        further=True,
    ),
    View(
        "course_weeks",
        TOPIC,
        ("course_id",),
        """
WITH days AS (
    SELECT user_id, course_id, date, event_type, max(date) OVER (PARTITION BY course_id) AS last_day
    FROM course_activity WHERE student_events > 0
)
SELECT
    course_id,  -- course
    max(last_day) AS last_day,  -- last day of any student
    count(DISTINCT user_id) FILTER (WHERE date > last_day - 7)
        AS students_last_week,  -- students in the 7 days that end with the last one
    count(DISTINCT user_id) FILTER (WHERE date <= last_day - 7 AND date > last_day - 14)
        AS students_week_before,  -- students in the 7 days before those
    count(DISTINCT user_id) FILTER (WHERE event_type = 'COURSE_ENROLLED' AND date > last_day - 7)
        AS enrolled_last_week,  -- students who enrolled in the 7 days that end with the last one
    count(DISTINCT user_id) FILTER (
        WHERE event_type = 'COURSE_ENROLLED' AND date <= last_day - 7 AND date > last_day - 14
    ) AS enrolled_week_before  -- students who enrolled in the 7 days before those
FROM days GROUP BY course_id""",
        further=True,
    ),
    View(
        "course_student_days",
        TOPIC,
        ("user_id", "date", "course_id", "event_type"),
        """
SELECT
    user_id,  -- user
    date,  -- UTC day
    course_id,  -- course
    event_type,  -- type of event
    whole(events) AS event_count  -- events
FROM course_activity GROUP BY user_id, date, course_id, event_type""",
        further=True,
    ),
    View(
        "course_student_materials",
        TOPIC,
        ("user_id", "course_id", "material_id", "material_type"),
        """
SELECT
    user_id,  -- user
    course_id,  -- course
    material_id,  -- material
    material_type,  -- type of material
    whole(accesses) AS total_accesses,  -- times it was opened
    utc(min(first_access)) AS first_access,  -- earliest opening
    utc(max(last_access)) AS last_access  -- latest opening
FROM course_materials GROUP BY user_id, course_id, material_id, material_type""",
        further=True,
    ),
    View(
        "course_student_downloads",
        TOPIC,
        ("user_id", "course_id", "resource_id"),
        """
SELECT
    user_id,  -- user
    course_id,  -- course
    resource_id,  -- resource
    whole(downloads) AS total_downloads  -- downloads
FROM course_downloads GROUP BY user_id, course_id, resource_id""",
        further=True,
    ),
)
