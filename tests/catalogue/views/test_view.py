"""What a view says of itself, and that the views are the contract's."""

from __future__ import annotations

from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.view import View
from tests.oracle.views import all_views


def test_the_views_are_the_contracts():
    assert set(VIEWS) == set(all_views([])), (
        "a view that the oracle lacks: tests/oracle/views.py says a second time what it must answer"
    )


def test_what_a_view_says_of_itself_is_what_the_database_finds():
    columns = view_columns()
    for name, view in VIEWS.items():
        assert list(view.meanings) == list(columns[name]), name
        assert list(columns[name])[: len(view.key)] == list(view.key), name


def test_what_a_view_says_of_itself_is_read_from_its_text():
    view = View("v", "t", ("a",), "\nSELECT\n    a,  -- first\n    b + 1 AS c  -- second, with commas\nFROM r")
    assert view.meanings == {"a": "first", "c": "second, with commas"}


def test_a_view_is_computed_by_persons_or_days_else_by_its_first_column():
    shards = {key: View("v", "t", key, "").shard for key in (("a", "user_id"), ("a", "student_id", "date"), ("b", "c"))}
    assert shards == {("a", "user_id"): "user_id", ("a", "student_id", "date"): "student_id", ("b", "c"): "b"}
    view = View("v", "t", ("user_id",), "", sharded_by=(("r", "student_id"),))
    assert (view.shard_column("r"), view.shard_column("s")) == ("student_id", "user_id")
