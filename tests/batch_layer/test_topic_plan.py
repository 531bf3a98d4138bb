"""Into how many slices a topic is cut, by what it has and by how many cores there are."""

from __future__ import annotations

import pytest

from batch_layer.config import SLICE_BYTES
from batch_layer.raw_input import RawInput
from batch_layer.topic_plan import TopicPlan, in_groups, spread
from batch_layer.topic_task import TopicTask
from runtime.storage.opening import open_store
from runtime.storage.store import Entry

HALF = SLICE_BYTES // 2


@pytest.fixture
def waiting(tmp_path) -> list[TopicPlan]:
    """Topics with 2, 12 and 6 files of half a slice each."""
    store = open_store(str(tmp_path))

    def planned(topic: str, number: int) -> TopicPlan:
        files = tuple(Entry(f"topic={topic}/date=2026-03-01/{n}.json", HALF, "") for n in range(number))
        return TopicPlan(TopicTask(topic, "r1", None, store, store, 7), RawInput(files, None), files)

    return [planned("auth_topic", 2), planned("video_topic", 12), planned("course_topic", 6)]


def slices(plans: list[TopicPlan]) -> dict[str, list[int]]:
    """How many files each slice of each topic has, in the order of the plans."""
    return {plan.task.topic: [len(files) for files in plan.slices] for plan in plans}


def test_without_a_number_of_cores_slices_are_small(waiting):
    assert slices(waiting) == {"auth_topic": [2], "video_topic": [2] * 6, "course_topic": [2] * 3}


@pytest.mark.parametrize(
    ("cores", "video", "course"),
    [(1, [12], [6]), (2, [10, 2], [6]), (4, [5, 5, 2], [5, 1]), (20, [2] * 6, [2] * 3)],
)
def test_a_topic_has_no_more_slices_than_keep_the_cores_at_work(waiting, cores, video, course):
    found = spread(waiting, cores)
    assert slices(found) == {"video_topic": video, "course_topic": course, "auth_topic": [2]}
    assert [plan.task.topic for plan in found] == ["video_topic", "course_topic", "auth_topic"], "the largest first"
    assert [plan.of_everything().slices for plan in found] == [plan.slices for plan in found]


def test_a_topic_of_several_buckets_keeps_small_slices(waiting, monkeypatch):
    monkeypatch.setattr("batch_layer.topic_plan.BUCKET_BYTES", 5 * HALF)
    (video,) = (plan.of_everything() for plan in spread(waiting, 1) if plan.task.topic == "video_topic")
    assert video.buckets == 3 and [len(files) for files in video.slices] == [2] * 6


def test_a_group_ends_by_bytes_or_by_files():
    files = tuple(Entry(f"{n}.json", size, "") for n, size in enumerate((5, 5, 1, 1, 1, 20, 1)))
    assert [len(group) for group in in_groups(files, 10)] == [2, 3, 1, 1]
    assert [len(group) for group in in_groups(files, 10, 2)] == [2, 2, 1, 1, 1]
    assert [*in_groups((), 10)] == []
