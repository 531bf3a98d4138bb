"""The rollup and the views of `video_topic`: what was watched."""

from catalogue.views.rollups import Rollup, earliest, latest, number, total
from catalogue.views.view import View

TOPIC = "video_topic"

ROLLUPS = (
    Rollup(
        "video_watches",
        TOPIC,
        ("date", "user_id", "video_id", "course_id"),
        (
            number("events"),
            number("sessions", "session_id IS NOT NULL"),
            total("seconds", "watch_duration_seconds"),
            earliest("shortest", "watch_duration_seconds"),
            latest("longest", "watch_duration_seconds"),
        ),
        "event_type = 'VIDEO_WATCHED'",
    ),
)

VIEWS = (
    View(
        "video_total_watch_time",
        TOPIC,
        ("user_id", "video_id", "course_id"),
        """
SELECT
    user_id,  -- student
    video_id,  -- video
    course_id,  -- course
    whole(seconds) AS total_watch_seconds,  -- seconds watched
    whole(sessions) AS total_watch_sessions,  -- stretches that name a session
    whole(seconds) / whole(events) AS avg_watch_duration_seconds,  -- mean seconds per stretch
    max(longest) AS longest_session_seconds,  -- longest stretch in seconds
    min(shortest) AS shortest_session_seconds,  -- shortest stretch in seconds
    whole(seconds) / 60.0 AS total_watch_minutes,  -- minutes watched
    whole(seconds) / 3600.0 AS total_watch_hours  -- hours watched
FROM video_watches GROUP BY user_id, video_id, course_id""",
    ),
    View(
        "video_student_engagement",
        TOPIC,
        ("user_id", "course_id"),
        """
SELECT
    user_id,  -- student
    course_id,  -- course
    count(DISTINCT video_id) AS unique_videos_watched,  -- videos watched
    whole(seconds) AS total_watch_seconds,  -- seconds watched
    whole(events) AS total_video_events,  -- stretches watched
    whole(seconds) / whole(events) AS avg_watch_duration_seconds,  -- mean seconds per stretch
    whole(seconds) / 3600.0 AS total_watch_hours  -- hours watched
FROM video_watches GROUP BY user_id, course_id""",
    ),
    View(
        "video_popularity",
        TOPIC,
        ("video_id", "course_id"),
        """
SELECT
    video_id,  -- video
    course_id,  -- course
    count(DISTINCT user_id) AS unique_viewers,  -- students who watched
    whole(seconds) AS total_views_seconds,  -- seconds watched
    whole(events) AS total_view_events,  -- stretches watched
    whole(seconds) / whole(events) AS avg_view_duration_seconds,  -- mean seconds per stretch
    whole(seconds) / 3600.0 AS total_views_hours  -- hours watched
FROM video_watches GROUP BY video_id, course_id""",
    ),
    View(
        "video_daily_engagement",
        TOPIC,
        ("date", "course_id"),
        """
SELECT
    date,  -- UTC day
    course_id,  -- course
    count(DISTINCT user_id) AS active_video_watchers,  -- students who watched
    count(DISTINCT video_id) AS unique_videos_watched,  -- videos watched
    whole(seconds) AS total_watch_seconds,  -- seconds watched
    whole(events) AS total_watch_events,  -- stretches watched
    whole(seconds) / 3600.0 AS total_watch_hours  -- hours watched
FROM video_watches GROUP BY date, course_id""",
    ),
    View(
        "video_course_metrics",
        TOPIC,
        ("course_id",),
        """
SELECT
    course_id,  -- course
    count(DISTINCT user_id) AS total_students_watching,  -- students who watched
    count(DISTINCT video_id) AS total_videos_in_course,  -- videos that anyone watched
    whole(seconds) AS total_course_watch_seconds,  -- seconds watched
    whole(seconds) / 3600.0 AS total_course_watch_hours  -- hours watched
FROM video_watches GROUP BY course_id""",
    ),
    View(
        "video_student_course_summary",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH students AS (
    SELECT
        user_id,
        course_id,
        count(DISTINCT video_id) AS videos,
        whole(seconds) AS seconds,
        whole(sessions) AS sessions
    FROM video_watches GROUP BY user_id, course_id
), courses AS (SELECT course_id, count(DISTINCT video_id) AS videos FROM video_watches GROUP BY course_id)
SELECT
    students.user_id,  -- student
    students.course_id,  -- course
    students.videos AS videos_watched_count,  -- videos that the student watched
    students.seconds AS total_watch_seconds,  -- seconds watched
    students.sessions AS total_sessions,  -- stretches that name a session
    students.seconds / 3600.0 AS total_watch_hours,  -- hours watched
    courses.videos AS total_videos_in_course,  -- videos that anyone watched in the course
    percentage(students.videos, courses.videos) AS video_coverage_percentage  -- share of the course's videos
FROM students INNER JOIN courses ON students.course_id IS NOT DISTINCT FROM courses.course_id""",
        link="course_id",
        link_grain=("course_id", "video_id"),
    ),
    View(
        "video_drop_off_indicators",
        TOPIC,
        ("video_id", "course_id"),
        """
SELECT
    video_id,  -- video
    course_id,  -- course
    whole(events) AS total_views,  -- stretches watched
    whole(seconds) / whole(events) AS avg_watch_duration,  -- mean seconds per stretch
    min(shortest) AS min_watch_duration,  -- shortest stretch in seconds
    count(DISTINCT user_id) AS unique_viewers,  -- students who watched
    CASE
        WHEN whole(seconds) < 60 * whole(events) THEN 'High Risk'
        WHEN whole(seconds) < 180 * whole(events) THEN 'Medium Risk'
        ELSE 'Good Engagement'
    END AS potential_drop_off  -- risk by mean seconds: under 60 high, under 180 medium
FROM video_watches GROUP BY video_id, course_id""",
    ),
    View(
        "video_student_activity",
        TOPIC,
        ("user_id", "course_id"),
        """
WITH days AS (
    SELECT user_id, course_id, date, seconds, max(date) OVER (PARTITION BY user_id, course_id) AS last_day
    FROM video_watches
)
SELECT
    user_id,  -- student
    course_id,  -- course
    min(date) AS first_watched,  -- first day of watching
    max(date) AS last_watched,  -- last day of watching
    count(DISTINCT date) AS days_watched,  -- days of watching
    whole(CASE WHEN date > last_day - 7 THEN seconds ELSE 0 END)
        AS seconds_last_week,  -- seconds watched in the 7 days that end with the last one
    whole(CASE WHEN date <= last_day - 7 AND date > last_day - 14 THEN seconds ELSE 0 END)
        AS seconds_week_before,  -- seconds watched in the 7 days before those
    100.0 * seconds_last_week / nullif(seconds_week_before, 0)
        AS share_of_week_before  -- the last week as percent of the week before, NULL if nothing was watched in that
FROM days GROUP BY user_id, course_id""",
        further=True,
    ),
    View(
        "video_student_days",
        TOPIC,
        ("user_id", "date", "course_id"),
        """
SELECT
    user_id,  -- student
    date,  -- UTC day
    course_id,  -- course
    count(DISTINCT video_id) AS unique_videos_watched,  -- videos watched
    whole(events) AS total_watch_events,  -- stretches watched
    whole(seconds) AS total_watch_seconds  -- seconds watched
FROM video_watches GROUP BY user_id, date, course_id""",
        further=True,
    ),
)
