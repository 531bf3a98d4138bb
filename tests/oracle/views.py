"""The views over raw records, one row at a time, with exact integers until the last division."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from tests.oracle.assessment import assessment
from tests.oracle.counting import Record, Row, by, count_once, distinct, of, percentage, times, total, weeks
from tests.oracle.validity import RULES, Event, microseconds


def auth(events: list[Event]) -> dict[str, list[Row]]:
    """The views of auth_topic."""
    logins = of(events, "LOGIN")
    opened: dict[object, tuple[datetime, str]] = {}
    closed: dict[object, datetime] = {}
    for e in logins:
        session = e.fields["session_id"]
        opened[session] = min(opened.get(session, (e.ts, e.user_id)), (e.ts, e.user_id))
    for e in of(events, "LOGOUT"):
        closed[e.fields["session_id"]] = max(closed.get(e.fields["session_id"], e.ts), e.ts)
    lengths: dict[str, list[int]] = {}
    for session, (start, user) in opened.items():
        if session in closed and closed[session] >= start:
            lengths.setdefault(user, []).append(microseconds(closed[session]) - microseconds(start))
    return {
        "auth_daily_active_users": by(logins, "date", lambda g: {
            "daily_active_users": distinct(g, "user_id"), "total_sessions": distinct(g, "session_id")}),
        "auth_hourly_login_patterns": by(logins, "date hour", lambda g: {"login_count": len(g)}),
        "auth_user_session_metrics": [{
            "user_id": user, "total_sessions": len(us), "avg_session_duration_minutes": sum(us) / 60e6 / len(us),
            "min_session_duration_minutes": min(us) / 60e6, "max_session_duration_minutes": max(us) / 60e6,
            "total_time_online_minutes": sum(us) / 60e6} for user, us in lengths.items()],
        "auth_user_activity_summary": by(events, "user_id role", lambda g: {
            "total_logins": len(of(g, "LOGIN")), "total_logouts": len(of(g, "LOGOUT")),
            **times(g, "first_activity", "last_activity"), "unique_sessions": distinct(g, "session_id")}),
        "auth_registration_analytics": by(of(events, "SIGNUP"), "date registration_source role", lambda g: {
            "new_signups": len(g)}),
    }  # fmt: skip


def _seconds(events: list[Event]) -> list[int]:
    return [e.fields["watch_duration_seconds"] for e in events]


def _with_session(events: list[Event]) -> int:
    return sum(e.fields["session_id"] is not None for e in events)


def _risk(watched: list[int]) -> str:
    if total(watched) < 60 * len(watched):
        return "High Risk"
    return "Medium Risk" if total(watched) < 180 * len(watched) else "Good Engagement"


def video(events: list[Event]) -> dict[str, list[Row]]:
    """The views of video_topic."""
    watched = of(events, "VIDEO_WATCHED")
    in_course: dict[str, set[str]] = {e.fields["course_id"]: set() for e in watched}
    for e in watched:
        in_course[e.fields["course_id"]].add(e.fields["video_id"])

    def pair(g: list[Event]) -> Row:
        s = _seconds(g)
        return {"total_watch_seconds": total(s), "total_watch_sessions": _with_session(g),
                "avg_watch_duration_seconds": total(s) / len(s), "longest_session_seconds": max(s),
                "shortest_session_seconds": min(s), "total_watch_minutes": total(s) / 60,
                "total_watch_hours": total(s) / 3600}  # fmt: skip

    def summary(g: list[Event]) -> Row:
        seen, whole = distinct(g, "video_id"), len(in_course[g[0].fields["course_id"]])
        return {"videos_watched_count": seen, "total_watch_seconds": total(_seconds(g)),
                "total_sessions": _with_session(g), "total_watch_hours": total(_seconds(g)) / 3600,
                "total_videos_in_course": whole, "video_coverage_percentage": percentage(seen, whole)}  # fmt: skip

    def activity(g: list[Event]) -> Row:
        days = {e.ts.date() for e in g}
        last, before = weeks(g, lambda e: e.fields["watch_duration_seconds"])
        return {"first_watched": min(days), "last_watched": max(days), "days_watched": len(days),
                "seconds_last_week": last, "seconds_week_before": before,
                "share_of_week_before": 100 * last / before if before else None}  # fmt: skip

    return {
        "video_total_watch_time": by(watched, "user_id video_id course_id", pair),
        "video_student_engagement": by(watched, "user_id course_id", lambda g: {
            "unique_videos_watched": distinct(g, "video_id"), "total_watch_seconds": total(_seconds(g)),
            "total_video_events": len(g), "avg_watch_duration_seconds": total(_seconds(g)) / len(g),
            "total_watch_hours": total(_seconds(g)) / 3600}),
        "video_popularity": by(watched, "video_id course_id", lambda g: {
            "unique_viewers": distinct(g, "user_id"), "total_views_seconds": total(_seconds(g)),
            "total_view_events": len(g), "avg_view_duration_seconds": total(_seconds(g)) / len(g),
            "total_views_hours": total(_seconds(g)) / 3600}),
        "video_daily_engagement": by(watched, "date course_id", lambda g: {
            "active_video_watchers": distinct(g, "user_id"), "unique_videos_watched": distinct(g, "video_id"),
            "total_watch_seconds": total(_seconds(g)), "total_watch_events": len(g),
            "total_watch_hours": total(_seconds(g)) / 3600}),
        "video_course_metrics": by(watched, "course_id", lambda g: {
            "total_students_watching": distinct(g, "user_id"), "total_videos_in_course": distinct(g, "video_id"),
            "total_course_watch_seconds": total(_seconds(g)), "total_course_watch_hours": total(_seconds(g)) / 3600}),
        "video_student_course_summary": by(watched, "user_id course_id", summary),
        "video_drop_off_indicators": by(watched, "video_id course_id", lambda g: {
            "total_views": len(g), "avg_watch_duration": total(_seconds(g)) / len(g),
            "min_watch_duration": min(_seconds(g)), "unique_viewers": distinct(g, "user_id"),
            "potential_drop_off": _risk(_seconds(g))}),
        "video_student_activity": by(watched, "user_id course_id", activity),
        "video_student_days": by(watched, "user_id date course_id", lambda g: {
            "unique_videos_watched": distinct(g, "video_id"), "total_watch_events": len(g),
            "total_watch_seconds": total(_seconds(g))}),
    }  # fmt: skip


def course(events: list[Event]) -> dict[str, list[Row]]:
    """The views of course_topic."""
    enrolled, opened, downloaded = "COURSE_ENROLLED", "ACCESS_COURSE_MATERIAL", "DOWNLOAD_MATERIAL"

    def activity(g: list[Event]) -> Row:
        days = {e.ts.date() for e in g}
        last, before = weeks(g, lambda _: 1)
        return {"enrolled_on": min((e.ts.date() for e in of(g, enrolled)), default=None),
                "dropped_on": max((e.ts.date() for e in of(g, "COURSE_DROPPED")), default=None),
                "first_active": min(days), "last_active": max(days), "active_days": len(days),
                "total_events": len(g), "materials_opened": len(of(g, opened)),
                "events_last_week": last, "events_week_before": before,
                "share_of_week_before": 100 * last / before if before else None}  # fmt: skip

    def course_weeks(g: list[Event]) -> Row:
        day = max(e.ts.date() for e in g)
        ago = [(day - e.ts.date()).days for e in g]
        recent, older = ([e for e, n in zip(g, ago, strict=True) if n // 7 == week] for week in (0, 1))
        return {"last_day": day,
                "students_last_week": distinct(recent, "user_id"), "students_week_before": distinct(older, "user_id"),
                "enrolled_last_week": distinct(of(recent, enrolled), "user_id"),
                "enrolled_week_before": distinct(of(older, enrolled), "user_id")}  # fmt: skip

    students = [e for e in events if e.fields["role"] == "student"]
    accesses, downloads = of(events, opened), of(events, downloaded)
    return {
        "course_enrollment_stats": by(of(events, enrolled), "date course_id", lambda g: {
            "new_enrollments": len(g), "unique_new_students": distinct(g, "user_id")}),
        "course_material_access": by(accesses, "user_id course_id", lambda g: {
            "total_material_accesses": len(g), "unique_materials_accessed": distinct(g, "material_id"),
            **times(g, "first_access", "last_access")}),
        "course_material_popularity": by(accesses, "course_id material_id material_type", lambda g: {
            "unique_accessors": distinct(g, "user_id"), "total_accesses": len(g)}),
        "course_download_analytics": by(downloads, "user_id course_id", lambda g: {
            "total_downloads": len(g), "unique_resources_downloaded": distinct(g, "resource_id")}),
        "course_resource_download_stats": by(downloads, "course_id resource_id", lambda g: {
            "unique_downloaders": distinct(g, "user_id"), "total_download_count": len(g)}),
        "course_activity_summary": by(of(events, enrolled, opened, downloaded), "user_id", lambda g: {
            "courses_enrolled": distinct(of(g, enrolled), "course_id"),
            "total_material_accesses": len(of(g, opened)),
            "courses_with_material_access": distinct(of(g, opened), "course_id"),
            "total_downloads": len(of(g, downloaded))}),
        "course_daily_engagement": by(events, "date course_id event_type", lambda g: {
            "unique_users": distinct(g, "user_id"), "event_count": len(g)}),
        "course_overall_metrics": by(events, "course_id", lambda g: {
            "total_enrollments": len(of(g, enrolled)), "total_material_accesses": len(of(g, opened)),
            "total_downloads": len(of(g, downloaded)),
            "unique_students_interacting": distinct((e for e in g if e.fields["role"] == "student"), "user_id")}),
        "course_hourly_engagement": by(events, "date hour course_id", lambda g: {"event_count": len(g)}),
        "course_terms": by(of(events, "COURSE_CREATED"), "course_id semester", lambda g: {
            "created_at": min(e.ts for e in g)}),
        "course_student_activity": by(students, "user_id course_id", activity),
        "course_weeks": by(students, "course_id", course_weeks),
        "course_student_days": by(events, "user_id date course_id event_type", lambda g: {"event_count": len(g)}),
        "course_student_materials": by(accesses, "user_id course_id material_id material_type", lambda g: {
            "total_accesses": len(g), **times(g, "first_access", "last_access")}),
        "course_student_downloads": by(downloads, "user_id course_id resource_id", lambda g: {
            "total_downloads": len(g)}),
    }  # fmt: skip


def profile(events: list[Event]) -> dict[str, list[Row]]:
    """The views of profile_topic."""
    updates = of(events, "UPDATE_PROFILE")
    users: dict[str, list[str]] = {}
    for e in updates:
        for name in set(e.fields["updated_fields"]):
            users.setdefault(name, []).append(e.user_id)
    return {
        "profile_update_frequency": by(updates, "user_id", lambda g: {
            "total_profile_updates": len(g), **times(g, "first_update", "last_update")}),
        "profile_field_changes": [
            {"field_name": name, "total_updates": len(who), "unique_users_updating": len(set(who))}
            for name, who in users.items()],
        "profile_avatar_changes": by(of(events, "PROFILE_PICTURE_UPDATED"), "user_id", lambda g: {
            "avatar_changes_count": len(g), **times(g, "first_change", "last_change")}),
        "profile_daily_activity": by(events, "date event_type", lambda g: {
            "unique_users": distinct(g, "user_id"), "event_count": len(g)}),
    }  # fmt: skip


def notification(events: list[Event]) -> dict[str, list[Row]]:
    """The views of notification_topic."""

    def rates(sent: str, clicked: str, rate: str, always: bool = False) -> Callable[[list[Event]], Row | None]:
        def columns(g: list[Event]) -> Row | None:
            s, c = len(of(g, "NOTIFICATION_SENT")), len(of(g, "NOTIFICATION_CLICKED"))
            return {sent: s, clicked: c, rate: percentage(c, s)} if s or always else None

        return columns

    return {
        "notification_delivery_stats": by(of(events, "NOTIFICATION_SENT"), "notification_type", lambda g: {
            "total_sent": len(g), "unique_recipients": distinct(g, "user_id")}),
        "notification_engagement": by(of(events, "NOTIFICATION_CLICKED"), "user_id notification_type", lambda g: {
            "notifications_clicked": len(g)}),
        "notification_click_through_rate": by(
            events, "notification_type", rates("total_sent", "total_clicked", "click_through_rate")),
        "notification_user_preferences": by(
            events, "user_id notification_type",
            rates("notifications_received", "notifications_clicked", "engagement_rate")),
        "notification_daily_activity": by(events, "date event_type notification_type", lambda g: {
            "unique_users": distinct(g, "user_id"), "event_count": len(g)}),
        "notification_user_summary": by(
            events, "user_id", rates("total_received", "total_clicked", "overall_engagement_rate", always=True)),
    }  # fmt: skip


_VIEWS = {"auth_topic": auth, "assessment_topic": assessment, "video_topic": video, "course_topic": course,
          "profile_topic": profile, "notification_topic": notification}  # fmt: skip


def answer(records: Iterable[Record]) -> tuple[dict[str, list[Row]], dict[str, dict[int, Counter]]]:
    """All views of the records and the ledger, as `all_views` and `ledger` give them."""
    records = list(records)
    unique = {topic: count_once(topic, records) for topic in RULES}
    views = {name: rows for topic in RULES for name, rows in _VIEWS[topic](unique[topic].events).items()}
    return views, {topic: found.ledger for topic, found in unique.items()}


def all_views(records: Iterable[Record]) -> dict[str, list[Row]]:
    """All views of the records, by name; rows in no particular order, columns in the contract's order."""
    return answer(records)[0]


def ledger(records: Iterable[Record]) -> dict[str, dict[int, Counter]]:
    """By topic and partition: how many events landed, and were counted, duplicate or invalid."""
    return answer(records)[1]
