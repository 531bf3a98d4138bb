"""Who and what there is: students, teachers and courses, with stable identifiers and believable profiles."""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections import deque
from functools import cache

import orjson
from faker import Faker

from catalogue.events import EVENT_TYPES
from catalogue.events.profile import MAJORS

LOCALES = ("vi_VN", "en_US")
DEVICES = ("desktop", "mobile", "tablet")
ASSIGNMENTS, QUIZZES, VIDEOS, MATERIALS, RESOURCES, ITEMS = 8, 4, 12, 10, 6, 10  # per course at the start
ANNOUNCED = 3  # new courses at most that nobody can enrol in yet
PENDING, HANDED_IN, VIEWED, GRADED, WITHDRAWN = range(5)  # what has become of a work
_POOL = 300
_ITEM_TYPE = next(f for f in EVENT_TYPES["ITEM_CLICK"].fields if f.name == "item_type")
_MATERIAL_TYPE = next(f for f in EVENT_TYPES["ACCESS_COURSE_MATERIAL"].fields if f.name == "material_type")
_ASSIGNMENT_TYPE = next(f for f in EVENT_TYPES["ASSIGNMENT_CREATED"].fields if f.name == "assignment_type")


def fragment(**fields: object) -> str:
    """JSON members with a comma in front, to be put together with others."""
    return "," + orjson.dumps(fields).decode()[1:-1]


class Person:
    """A user; `last` is the moment of the latest event in microseconds since 1970."""

    __slots__ = ("devices", "id", "key", "last", "number", "role")

    def __init__(self, number: int, prefix: str, role: str, last: int, rng: random.Random):
        self.number, self.role, self.last = number, role, last
        self.id = f"{prefix}{number:03}"
        self.key = self.id.encode()
        address = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        self.devices = tuple(
            fragment(user_id=self.id, role=role, device_type=device, ip_address=address)[1:] for device in DEVICES
        )


class Student(Person):
    """`left` are enrolments that were given up; `pending` and `handed_in` are works; `inbox` are notifications: their
    JSON members, when they were sent, and whether they were opened.
    """

    __slots__ = ("enrolments", "handed_in", "inbox", "left", "pending")

    def __init__(self, number: int, last: int, rng: random.Random):
        super().__init__(number, "SV", "student", last, rng)
        self.enrolments: list[Enrolment] = []
        self.left: tuple[Enrolment, ...] = ()
        self.pending: deque[Work] = deque()
        self.handed_in: list[Work] = []
        self.inbox: list[tuple[str, int, bool]] = []

    def takes(self, course: Course) -> bool:
        """Whether the student is enrolled in a course."""
        return any(e.course is course for e in self.enrolments)

    def enrol(self, course: Course) -> None:
        """Join a course; who comes back has seen what was seen before."""
        earlier = [e for e in self.left if e.course is course]
        self.left = tuple(e for e in self.left if e.course is not course)
        self.enrolments.append(earlier[0] if earlier else Enrolment(course, 0))

    def drop(self, place: int) -> Course:
        """Leave the course of an enrolment, and the work on it."""
        enrolment = self.enrolments.pop(place)
        self.left += (enrolment,)
        course = enrolment.course
        self.pending = deque(w for w in self.pending if w.assignment.course is not course)
        self.handed_in = [w for w in self.handed_in if w.assignment.course is not course]
        return course


class Teacher(Person):
    """`to_view`, `to_grade` and `graded` are works of the students in the teacher's courses."""

    __slots__ = ("courses", "graded", "to_grade", "to_view")

    def __init__(self, number: int, last: int, rng: random.Random):
        super().__init__(number, "GV", "teacher", last, rng)
        self.courses: list[Course] = []
        self.to_view: deque[Work] = deque()
        self.to_grade: deque[Work] = deque()
        self.graded: deque[Work] = deque(maxlen=50)


class Assignment:
    """An assignment; `since` is when it was set, 0 for before the start."""

    __slots__ = ("course", "id", "since", "tail", "type")

    def __init__(self, number: int, course: Course, kind: str, since: int = 0):
        self.id, self.course, self.since = f"ASM{number:03}", course, since
        self.tail = fragment(assignment_id=self.id, course_id=course.id)
        self.type = fragment(assignment_type=kind)


class Enrolment:
    """A student's place in a course; `seen` is how many of its assignments they have viewed."""

    __slots__ = ("course", "seen")

    def __init__(self, course: Course, seen: int):
        self.course, self.seen = course, seen


class Work:
    """A student's work on an assignment; `since` is when its present state began."""

    __slots__ = ("assignment", "since", "state", "student")

    def __init__(self, student: Student, assignment: Assignment, since: int):
        self.student, self.assignment, self.since, self.state = student, assignment, since, PENDING


class Course:
    """A course and what is in it, as JSON members ready to use; `since` is when it was created, 0 for before the start.

    A new one has no assignments yet.
    """

    __slots__ = (
        "assignments",
        "id",
        "items",
        "materials",
        "quizzes",
        "resources",
        "since",
        "tail",
        "teacher",
        "videos",
    )

    def __init__(self, number: int, teacher: Teacher, rng: random.Random, since: int = 0):
        self.id, self.teacher, self.since = f"COURSE{number:03}", teacher, since
        self.tail = fragment(course_id=self.id)
        teacher.courses.append(self)

        def ids(prefix: str, count: int) -> list[str]:
            return [f"{prefix}{(number - 1) * count + place:03}" for place in range(1, count + 1)]

        first = (number - 1) * ASSIGNMENTS + 1
        self.assignments = [
            Assignment(first + n, self, rng.choice(_ASSIGNMENT_TYPE.choices))
            for n in range(0 if since else ASSIGNMENTS)
        ]
        self.quizzes = [fragment(quiz_id=i, course_id=self.id) for i in ids("QUIZ", QUIZZES)]
        self.videos = [(fragment(video_id=i, course_id=self.id), rng.randrange(120, 1200)) for i in ids("VID", VIDEOS)]
        self.materials = [
            self.tail + fragment(material_id=i, material_type=rng.choice(_MATERIAL_TYPE.choices))
            for i in ids("MAT", MATERIALS)
        ]
        self.resources = [self.tail + fragment(resource_id=i) for i in ids("RES", RESOURCES)]
        click = _ITEM_TYPE.fake or (lambda rng: "page")
        self.items = [self.tail + fragment(item_id=i, item_type=click(rng)) for i in ids("ITEM", ITEMS)]


class Population:
    """`students` are there from the start, `newcomers` have yet to sign up; nobody can enrol yet in `announced`."""

    def __init__(self, seed: int, students: int, courses: int, newcomers: int, start: int):
        rng = random.Random(f"population {seed}")
        self._seed, self._rng = seed, rng
        week = 8 * 24 * 3600 * 1_000_000
        people = [Student(n, start - rng.randrange(week), rng) for n in range(1, students + 1)]
        self.newcomers = deque(people[students - newcomers :])
        self.students = people[: students - newcomers]
        self.teachers = [Teacher(n, start, rng) for n in range(1, max(1, courses // 2) + 1)]
        self.admins = [Person(1, "AD", "admin", start, rng)]
        self.courses = [Course(n, self.teachers[(n - 1) % len(self.teachers)], rng) for n in range(1, courses + 1)]
        self.announced: list[Course] = []
        self._created, self._most = courses, 2 * courses
        self.assignments = courses * ASSIGNMENTS
        for student in self.students:
            taken = rng.sample(self.courses, min(len(self.courses), rng.randint(3, 5)))
            student.enrolments = [Enrolment(course, rng.randrange(ASSIGNMENTS)) for course in taken]

    def announce(self, teacher: Teacher, now: int) -> Course | None:
        """A new course; where enough are announced, the first is opened. None at twice the courses of the start."""
        if len(self.announced) == ANNOUNCED:
            if len(self.courses) == self._most:
                return None
            self.courses.append(self.announced.pop(0))
        self._created += 1
        self.announced.append(Course(self._created, teacher, self._rng, now))
        return self.announced[-1]

    def withdraw(self, place: int) -> Course:
        """An announced course, which is there no more."""
        course = self.announced.pop(place)
        course.teacher.courses.remove(course)
        return course

    def profile(self, person: Person) -> dict[str, object]:
        """The same name, address, telephone and studies for the same person and seed, Vietnamese or American."""
        rng = random.Random(f"profile {self._seed} {person.id}")
        locale = LOCALES[0] if rng.random() < 0.8 else LOCALES[1]
        names = _names(locale)
        gender = rng.choice(("female", "male"))
        given, family = rng.choice(names[gender]), rng.choice(names["family"])
        plain = (
            unicodedata.normalize("NFKD", given.split()[-1].lower().replace("đ", "d"))
            .encode("ascii", "ignore")
            .decode()
        )
        born = dt.date(rng.randint(1998, 2007), 1, 1) + dt.timedelta(days=rng.randrange(365))
        return {
            "email": f"{plain}.{person.id.lower()}@university.edu.vn",
            "full_name": f"{family} {given}" if locale == "vi_VN" else f"{given} {family}",
            "date_of_birth": born.isoformat(),
            "gender": gender,
            "phone_number": rng.choice(names["phone"]),
            "major": rng.choice(MAJORS),
            "enrollment_year": min(born.year + 18 + rng.randrange(2), 2026),
        }


@cache
def _names(locale: str) -> dict[str, tuple[str, ...]]:
    fake = Faker(locale)
    fake.seed_instance(1)
    makers = {
        "female": fake.first_name_female,
        "male": fake.first_name_male,
        "family": fake.last_name,
        "phone": fake.phone_number,
    }
    return {name: tuple(str(make()) for _ in range(_POOL)) for name, make in makers.items()}
