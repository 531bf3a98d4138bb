"""Whose rows a view has: by which columns it is decided who may see them.

It follows from the key: a person's rows name the person, a course's the course. A view or window with neither is about
groups of people; `PEOPLE` names the column that says how many are in a row, where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalogue.views.view import View

PERSONS = ("user_id", "student_id")
COURSE = "course_id"
# A new account is one person, whatever it does later.
PEOPLE = {
    "auth_daily_active_users": "daily_active_users",
    "auth_registration_analytics": "new_signups",
    "profile_field_changes": "unique_users_updating",
    "profile_daily_activity": "unique_users",
    "notification_delivery_stats": "unique_recipients",
    "notification_daily_activity": "unique_users",
    "active_users": "last_5_minutes",
}


@dataclass(frozen=True)
class Disclosure:
    """The columns that name a row's person and course, and that count a group's people; empty where there is none."""

    person: str
    course: str
    people: str


def disclosure(view: View) -> Disclosure:
    """Whose rows the view has."""
    person = next((column for column in PERSONS if column in view.key), "")
    return Disclosure(person, COURSE if COURSE in view.key else "", PEOPLE.get(view.name, ""))
