"""Who there is: stable identifiers, and profiles that are the same each time, Vietnamese and English."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from catalogue.events.profile import MAJORS
from ingestion_layer.population import Population

VIETNAMESE = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)


@pytest.fixture(scope="module")
def people() -> Population:
    return Population(7, students=400, courses=20, newcomers=40, start=0)


def test_identifiers_number_people_and_things(people):
    everyone = sorted([*people.students, *people.newcomers], key=lambda s: s.number)
    assert [s.id for s in everyone] == [f"SV{n:03}" for n in range(1, 401)]
    assert [t.id for t in people.teachers] == [f"GV{n:03}" for n in range(1, 11)]
    assert [c.id for c in people.courses] == [f"COURSE{n:03}" for n in range(1, 21)]
    assignments = [a.id for c in people.courses for a in c.assignments]
    assert len(assignments) == len(set(assignments)) == 160 and "ASM160" in assignments
    assert Population(7, 1500, 20, 1, 0).students[-1].id == "SV1499", "digits grow as needed"


def test_a_profile_is_a_believable_persons(people):
    profiles = {s.id: people.profile(s) for s in [*people.students, *people.newcomers]}
    vietnamese = [p for p in profiles.values() if VIETNAMESE.search(p["full_name"])]
    plain = [p for p in profiles.values() if p["full_name"].isascii()]
    assert len(vietnamese) > 200 and len(plain) > 40
    for person, profile in profiles.items():
        assert re.fullmatch(rf"[a-z]+\.{person.lower()}@university\.edu\.vn", profile["email"])
        assert len(profile["full_name"].split()) >= 2 and profile["major"] in MAJORS
        born = dt.date.fromisoformat(profile["date_of_birth"])
        assert 17 <= profile["enrollment_year"] - born.year <= 20
        assert profile["gender"] in ("female", "male") and re.search(r"\d", profile["phone_number"])
    assert len({p["full_name"] for p in profiles.values()}) > 250


def test_the_same_seed_is_the_same_university(people):
    again, other = Population(7, 400, 20, 40, 0), Population(8, 400, 20, 40, 0)
    student = people.students[5]
    assert again.profile(again.students[5]) == people.profile(student) != other.profile(other.students[5])
    assert [e.course.id for e in again.students[5].enrolments] == [e.course.id for e in student.enrolments]


@pytest.mark.parametrize(("students", "courses"), [(1, 1), (2, 1), (3, 2), (1, 50)])
def test_the_smallest_universities(students, courses):
    people = Population(1, students, courses, 1, 0)
    assert len(people.students) + len(people.newcomers) == students
    assert len(people.courses) == courses and people.teachers
