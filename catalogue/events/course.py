"""Courses and their materials."""

from catalogue.events.fields import COURSE
from catalogue.events.schema import EventType, Field, Kind, Topic, choice, identifier, text

MATERIAL_TYPES = ("pdf", "slides", "document", "link", "dataset")

TOPIC = Topic(
    name="course_topic",
    category="COURSE",
    partitions=3,
    retention_days=1096,
    share=0.18,
    job="course",
    event_types=(
        EventType(
            "COURSE_CREATED",
            "A course was opened.",
            (
                COURSE,
                text("course_name", "Name of the course.", lambda rng: f"Course {rng.randint(100, 999)}"),
                text("course_code", "Code in the catalogue of studies.", lambda rng: f"IT{rng.randint(1000, 9999)}"),
                text("semester", "Semester.", lambda rng: f"2026{rng.randint(1, 3)}"),
                Field("max_students", Kind.INTEGER, "Places.", fake=lambda rng: rng.randint(30, 300)),
            ),
            0.005,
            "teacher",
        ),
        EventType("COURSE_DELETED", "A course was removed.", (COURSE,), 0.002, "admin"),
        EventType("COURSE_VIEW", "A course's page was opened.", (COURSE,), 0.35),
        EventType("COURSE_ENROLLED", "A student joined a course.", (COURSE,), 0.05),
        EventType("COURSE_DROPPED", "A student left a course.", (COURSE,), 0.008),
        EventType(
            "ITEM_CLICK",
            "Something on a course's page was clicked.",
            (
                COURSE,
                identifier("item_id", "ITEM", "What was clicked."),
                text("item_type", "Its type.", lambda rng: rng.choice(("forum", "page", "quiz", "link"))),
            ),
            0.215,
        ),
        EventType(
            "ACCESS_COURSE_MATERIAL",
            "A material was opened.",
            (
                COURSE,
                identifier("material_id", "MAT", "Material."),
                choice("material_type", MATERIAL_TYPES, "Type of the material."),
            ),
            0.25,
        ),
        EventType(
            "DOWNLOAD_MATERIAL",
            "A resource was downloaded.",
            (COURSE, identifier("resource_id", "RES", "Resource.", aliases=("material_id",))),
            0.12,
        ),
    ),
)
