"""The Spark source gives what the API does, of all views, in any number of parts, and at an earlier delta."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from batch_layer.learning_views import LearningViews
from catalogue.at_rest.deltas import read_deltas
from catalogue.views import VIEWS
from runtime.spark.session import session
from tests.laws.test_merged import Platform, answering, opened, rows_of
from tests.oracle.comparison import differences
from tests.oracle.histories import history


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Platform:
    """A run over a part of a history, and deltas from its cut on."""
    made = Platform(tmp_path_factory.mktemp("platform"), history(31, 1500), 31)
    made.micro_batch(0.4)
    made.run_batch(at_boundary=True)
    for _ in range(3):
        made.micro_batch(0.5)
    return made


@pytest.fixture(scope="module")
def spark(platform) -> Iterator[SparkSession]:
    running = session("analysts", platform.settings)
    running.dataSource.register(LearningViews)
    try:
        yield running
    finally:
        running.stop()


def read(spark: SparkSession, platform: Platform, view: str, **options: str) -> list[dict]:
    places = {name: asdict(platform.settings)[name] for name in ("batch_views", "speed_views")}
    frame = spark.read.format("learning_views").options(**places, **options).load(view)
    return frame.toArrow().to_pylist()


def test_rows_and_types_are_the_api_s(spark, platform):
    state = opened(platform)
    try:
        answers = answering(state)
        # Of each kind: by person, by its own key, by day, with a link in the key, and with one beside it.
        for view in ("assessment_teacher_workload", "video_popularity", "course_daily_engagement",
                     "video_student_course_summary", "auth_user_session_metrics"):  # fmt: skip
            expected, _ = rows_of(state, answers, view)
            assert expected, view
            assert differences(expected, read(spark, platform, view, parts="3")) == [], view
            batch, _ = rows_of(state, answers, view, "batch")
            assert differences(batch, read(spark, platform, view, layer="batch")) == [], view
    finally:
        state.stop()


def test_the_recipe_runs(spark, platform):
    page = (Path(__file__).resolve().parents[2] / "docs" / "query-api.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "spark" in b)
    settings, current = platform.settings, json.loads(platform.batch.read("_current.json"))
    known = {
        "spark": spark,
        "current": current,
        "SPARK_VIEWS": settings.batch_views,
        "SPEED_VIEWS": settings.speed_views,
    }
    exec(compile(block, "docs/query-api.md", "exec"), known)
    state = opened(platform)
    try:
        rows, _ = rows_of(state, answering(state), "video_popularity")
    finally:
        state.stop()
    assert known["files"].count() == current["views"]["assessment_grading_stats"]["rows"] > 0
    assert known["files"].columns == list(current["views"]["assessment_grading_stats"]["columns"])
    assert {*known["hours"]["course_id"]} == {row["course_id"] for row in rows} != set()
    total = sum(row["total_views_hours"] for row in rows)
    assert known["hours"]["sum(total_views_hours)"].sum() == pytest.approx(total)


def test_an_earlier_delta_is_the_answer_of_then(spark, platform):
    view = "auth_hourly_login_patterns"
    numbers = [d.number for d in read_deltas(platform.speed_store)]
    counts = [sum(row["login_count"] for row in read(spark, platform, view, delta=str(n))) for n in numbers[-3:]]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert counts[-1] == sum(row["login_count"] for row in read(spark, platform, view))


def test_what_is_not_there_is_named(spark, platform):
    for view, options, said in (
        ("no_view", {}, "load must name a view; got 'no_view'"),
        (next(iter(VIEWS)), {"layer": "speed"}, "layer must be one of merged, batch; got 'speed'"),
        (next(iter(VIEWS)), {"delta": "9999"}, "delta must be one from the published cut on; got 9999"),
    ):
        with pytest.raises(PySparkException, match=said):
            read(spark, platform, view, **options)
