"""Rows that are computed ahead are those that a query gives, and none is given where a delta has touched them since."""

import gc

import pyarrow as pa
import pyarrow.parquet as pq

from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from serving_layer.identity.sight import WHOLE
from serving_layer.query.parameters import parse
from serving_layer.state import person_rows as module
from serving_layer.state.person_index import PersonIndex
from serving_layer.state.person_rows import PersonRows
from tests.laws.test_merged import Platform, answering, opened, settle
from tests.oracle.histories import history

LATER = 99


def test_rows_computed_ahead_are_those_of_a_query(tmp_path):
    platform = Platform(tmp_path, history(21, 1500), 21)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.2)
    state = opened(platform)
    answers, columns = answering(state), view_columns()
    try:
        compared = 0
        for share in (0, 0.4):
            if share:
                platform.micro_batch(share)
                settle(state)
            generation = state.generation
            for topic in generation.topics.values():
                for view, found in topic.persons.items():
                    waiting = found.stale(topic.applied)
                    if not waiting:
                        continue
                    queries = {
                        person: parse([(topic.views[view].shard, person)], columns[view], VIEWS[view].key)
                        for person in waiting
                    }
                    asked = {p: answers.quick(generation, topic.topic, view, q, WHOLE) for p, q in queries.items()}
                    assert set(asked.values()) == {None} and found.wanted
                    topic.compute_ahead(view)
                    assert not found.wanted
                    for person, query in queries.items():
                        quick = answers.quick(generation, topic.topic, view, query, WHOLE)
                        whole = answers.page(generation, topic.topic, view, query, WHOLE)
                        assert (quick.rows, quick.total) == (whole.rows, whole.total), (view, person)
                        compared += len(quick.rows)
        assert compared > 300
    finally:
        answers.snapshots.drop_old(everything=True)
        state.stop()


def _persons(folder) -> PersonRows:
    pq.write_table(pa.table({"user_id": ["a", "a", "b"], "n": [1, 2, 3]}), folder / "view.parquet")
    return PersonRows(PersonIndex(folder / "view.parquet", "user_id", folder / "view.arrow"))


def test_a_touched_person_has_no_rows_until_they_are_computed(tmp_path):
    persons = _persons(tmp_path)
    assert persons.rows("a", "merged", LATER) == [{"user_id": "a", "n": 1}, {"user_id": "a", "n": 2}]
    assert persons.rows("c", "merged", LATER) == []
    persons.touch(["a"], 5)
    assert persons.rows("a", "merged", LATER) is None
    assert persons.rows("a", "batch", LATER) == [{"user_id": "a", "n": 1}, {"user_id": "a", "n": 2}]
    assert persons.stale(4) == [] and persons.stale(5) == ["a"]
    persons.keep(5, ["a"], pa.table({"user_id": ["a"], "n": [9]}))
    assert persons.rows("a", "merged", LATER) == [{"user_id": "a", "n": 9}]
    assert persons.rows("a", "merged", 4) is None, "not for a reader that is behind"
    persons.touch(["a"], 6)
    persons.keep(5, ["a"], pa.table({"user_id": ["a"], "n": [9]}))  # computed before the delta that came meanwhile
    assert persons.rows("a", "merged", LATER) is None and persons.stale(6) == ["a"]


def test_outdated_rows_are_let_go_of(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FEWEST_ROWS", 10)
    persons = _persons(tmp_path)
    for number in range(1, 50):
        persons.touch(["b", "c"], number)
        persons.keep(number, ["b", "c"], pa.table({"user_id": ["b", "b", "c"], "n": [number, number + 1, 7]}))
        assert persons._rows_held <= 13
        assert persons.rows("b", "merged", LATER) == [{"user_id": "b", "n": number}, {"user_id": "b", "n": number + 1}]
    assert persons.rows("c", "merged", LATER) == [{"user_id": "c", "n": 7}]


def test_rows_of_a_person_may_stand_in_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("serving_layer.state.person_index.ROWS_AT_ONCE", 3)
    users = ["a", "b", "b", "b", "b", "b", "b", "b", "c", "d", "d"]
    table = pa.table({"user_id": users, "n": range(len(users))})
    pq.write_table(table, tmp_path / "view.parquet")
    index = PersonIndex(tmp_path / "view.parquet", "user_id", tmp_path / "view.arrow")
    for user in "abcd":
        assert index.rows(user) == [row for row in table.to_pylist() if row["user_id"] == user]
    assert index.rows("e") == []
    pq.write_table(table.slice(0, 0), tmp_path / "view.parquet")
    assert PersonIndex(tmp_path / "view.parquet", "user_id", tmp_path / "view.arrow").rows("a") == []


def test_many_persons_give_the_garbage_collector_nothing_to_search(tmp_path):
    pq.write_table(pa.table({"user_id": [f"SV{n:05}" for n in range(20_000)]}), tmp_path / "view.parquet")
    before = len(gc.get_objects())
    index = PersonIndex(tmp_path / "view.parquet", "user_id", tmp_path / "view.arrow")
    assert len(gc.get_objects()) - before < 1000
    assert not gc.is_tracked(index._numbers)
