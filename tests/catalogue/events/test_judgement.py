"""What is refused of topics, event types and fields, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalogue.declarations import DeclarationError, refuse
from catalogue.events import TOPICS, judgement
from catalogue.events.schema import EventType, Field, Kind, Topic, choice, count, identifier

COURSE = identifier("course_id", "COURSE", "Course.")
RATED = EventType("COURSE_RATED", "A student rated a course.", (COURSE, count("stars", "Stars.", 5)), 0.5)
LEFT = EventType("COURSE_LEFT", "A student left a course.", (COURSE,), 0.5)
TOPIC = Topic("course_topic", "COURSE", 3, 30, 1.0, "course", (RATED, LEFT))


def fielded(field: Field) -> Topic:
    """The topic with one more field in its first type."""
    return replace(TOPIC, event_types=(replace(RATED, fields=(COURSE, field)), LEFT))


def typed(**change) -> Topic:
    """The topic with its first type changed."""
    return replace(TOPIC, event_types=(replace(RATED, **change), LEFT))


STARS = count("stars", "Stars.", 5)
TYPE, FIELD = "event type 'COURSE_RATED':", "event type 'COURSE_RATED': field 'stars':"
LOWER = "name must be of small letters, digits and _; got"
TYPED = "'partition', 'offset', 'kafka_ts', 'fault', 'ts', 'date', 'hour'"
FIXED = "'event_id', 'event_category', 'event_type', 'user_id', 'timestamp', 'schema_version'"
FAULTS = {
    "a topic's name": (replace(TOPIC, name="Course"), f"topic 'Course': {LOWER} 'Course'"),
    "a category": (
        replace(TOPIC, category="course"),
        "topic 'course_topic': category must be of capitals, digits and _; got 'course'",
    ),
    "a job": (
        replace(TOPIC, job="a job"),
        "topic 'course_topic': job must be of small letters, digits and _; got 'a job'",
    ),
    "partitions": (replace(TOPIC, partitions=0), "topic 'course_topic': partitions must be 1 or more; got 0"),
    "retention": (
        replace(TOPIC, retention_days=0),
        "topic 'course_topic': retention_days must be 1 or more, or None; got 0",
    ),
    "a topic's share": (replace(TOPIC, share=0.9), "topics: shares must be above 0 and sum to 1; got 0.9"),
    "weights": (
        typed(weight=0.6),
        "topic 'course_topic': weights of its event types must be above 0 and sum to 1; got 1.1",
    ),
    "a weight of none": (
        replace(TOPIC, event_types=(replace(RATED, weight=1.0), replace(LEFT, weight=0.0))),
        "topic 'course_topic': weights of its event types must be above 0 and sum to 1; got 1",
    ),
    "a type's name": (
        typed(name="course_rated"),
        "event type 'course_rated': name must be of capitals, digits and _; got 'course_rated'",
    ),
    "a type twice": (
        typed(name="COURSE_LEFT"),
        "event type 'COURSE_LEFT': name must stand once, older names included; got it repeated",
    ),
    "an older name that is taken": (
        typed(aliases=("COURSE_LEFT",)),
        "event type 'COURSE_LEFT': name must stand once, older names included; got it repeated",
    ),
    "a type's meaning": (typed(meaning=""), f"{TYPE} meaning must be a sentence; got ''"),
    "an actor": (typed(actor="dean"), f"{TYPE} actor must be one of 'student', 'teacher', 'admin'; got 'dean'"),
    "a field twice": (
        fielded(COURSE),
        f"{TYPE} field 'course_id' must stand once, older names included; got it repeated",
    ),
    "a field's name": (
        fielded(replace(STARS, name="Stars!")),
        f"event type 'COURSE_RATED': field 'Stars!': {LOWER} 'Stars!'",
    ),
    "a name that typed events use": (
        fielded(replace(STARS, name="date")),
        f"event type 'COURSE_RATED': field 'date': name must be none of {TYPED}, {FIXED}; got 'date'",
    ),
    "a field's meaning": (fielded(replace(STARS, meaning="stars")), f"{FIELD} meaning must be a sentence; got 'stars'"),
    "the kind of a common field": (fielded(choice("ip_address", ("a",), "Address.", required=False)), None),
    "choices of a number": (
        fielded(replace(STARS, choices=("1", "2"))),
        f"{FIELD} choices must be of a TEXT; got INTEGER",
    ),
    "a bound of a text": (
        fielded(replace(STARS, kind=Kind.TEXT)),
        f"{FIELD} minimum and maximum must be of an INTEGER; got TEXT",
    ),
    "bounds that leave nothing": (
        fielded(replace(STARS, minimum=6, maximum=5)),
        f"{FIELD} minimum must be at most maximum; got 6 above 5",
    ),
    "a required field that nothing makes": (
        fielded(replace(STARS, fake=None)),
        f"{FIELD} fake must make a value, as it is required; got None",
    ),
    "a kind that differs from a common field's": (
        fielded(Field("ip_address", Kind.INTEGER, "Address.", required=False)),
        f"{TYPE} field 'ip_address' must be of kind TEXT as in every event; got INTEGER",
    ),
    "a kind that differs from another type's": (
        replace(TOPIC, event_types=(RATED, replace(LEFT, fields=(replace(STARS, kind=Kind.SCORE, minimum=None),)))),
        "event type 'COURSE_LEFT': field 'stars' must be of kind INTEGER as in COURSE_RATED; got SCORE",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_these_words_and_alone(name):
    topic, told = FAULTS[name]
    assert list(judgement.faults([topic])) == ([told] if told else [])


def test_what_is_declared_twice_across_topics():
    twin = replace(TOPIC, share=0.5)
    assert list(judgement.faults([twin, twin])) == [
        "topic 'course_topic': name must stand once; got it repeated",
        "category 'COURSE': must belong to one topic; got several",
        "event type 'COURSE_RATED': name must stand once, older names included; got it repeated",
        "event type 'COURSE_LEFT': name must stand once, older names included; got it repeated",
    ]


def test_what_the_catalogue_declares_is_taken():
    assert list(judgement.faults([*TOPICS.values()])) == []


def test_all_faults_are_raised_at_once():
    with pytest.raises(DeclarationError) as raised:
        refuse(judgement.faults([replace(TOPIC, share=0.9, partitions=0)]))
    assert str(raised.value).splitlines() == list(raised.value.faults) and len(raised.value.faults) == 2
