"""A new run takes over what is served of topics in which nothing is new, and answers stay the oracle's."""

from __future__ import annotations

from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from tests.laws.test_merged import Platform, check, opened, settle
from tests.oracle.histories import history


def test_states_of_topics_without_anything_new_are_taken_over(tmp_path):
    platform = Platform(tmp_path, history(4, 1500), 4)
    platform.micro_batch(0.3)
    platform.run_batch(at_boundary=True)
    state = opened(platform)
    try:
        for at_boundary in (True, False):
            platform.micro_batch(0.3)
            settle(state)
            assert state.generation
            before = dict(state.generation.topics)
            platform.run_batch(at_boundary, topics=("course_topic",))
            platform.micro_batch(1.0)
            settle(state)
            assert state.generation.run == current(platform.batch)[0].run
            kept = {topic for topic, held in state.generation.topics.items() if held is before[topic]}
            assert kept == set(TOPICS) - {"course_topic"} or not at_boundary
            check(platform, state)
        folders = [held.folder for held in state.generation.topics.values()]
    finally:
        state.stop()
    assert not any(folder.exists() for folder in folders)
