"""Every rollup is a mergeable state: exact on any split, in any order and grouping, with duplicates across the splits.

The rollups come from the catalogue, so that a new one is covered as soon as it is declared.
"""

from __future__ import annotations

from functools import cache
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.duplicates import counted_of, duplicates_of, identified
from catalogue.sql.typed_events import fields_of
from catalogue.sql.verdicts import typed
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.rollups import MAX_SUM, Rollup
from tests.oracle.comparison import differences
from tests.oracle.counting import Record
from tests.oracle.histories import history, landed
from tests.oracle.views import all_views

HORIZON_DAYS = 7
EVENTS = 300
READ = ("fault", "event_id", "event_type", "ts", "date", "hour")
laws = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
randoms = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    opened = connect()
    return opened


@cache
def story(topic: str) -> tuple[list[Record], pa.Table]:
    """Records of one partition, every event type among them, and their typed events, both in the order of offsets."""
    records = landed(history(1, EVENTS, topics=(topic,), partitions=1))
    table = pa.table(
        {
            "partition": pa.array([r.partition for r in records], pa.int32()),
            "offset": pa.array([r.offset for r in records], pa.int64()),
            "kafka_timestamp": pa.array([r.kafka_timestamp for r in records], pa.timestamp("us", "UTC")),
            "value": pa.array([r.value for r in records], pa.binary()),
        }
    )
    fields = (name for name in fields_of(TOPICS[topic]) if name not in (*READ, "timestamp"))
    return records, typed(connect(), topic, table, (*READ, *fields)).sort_by("offset")


def some(rng: Random, topic: str) -> pa.Table:
    """Any of the topic's events, in any order."""
    events = story(topic)[1]
    return events.take(pa.array(rng.sample(range(events.num_rows), rng.choice((0, 1, 2, 40, EVENTS // 2))), pa.int64()))


def split(rng: Random, table: pa.Table, number: int) -> list[pa.Table]:
    """Any split into `number` parts, some of them perhaps empty, each in any order."""
    parts: list[list[int]] = [[] for _ in range(number)]
    for place in rng.sample(range(table.num_rows), table.num_rows):
        parts[rng.randrange(number)].append(place)
    return [table.take(pa.array(part, pa.int64())) for part in parts]


def roll_up(con: duckdb.DuckDBPyConnection, rollup: Rollup, events: pa.Table) -> pa.Table:
    con.register("taken", events)
    return con.sql(rollup.roll_up("(SELECT * FROM taken WHERE fault IS NULL)")).to_arrow_table()


def merge(con: duckdb.DuckDBPyConnection, rollup: Rollup, *states: pa.Table) -> pa.Table:
    con.register("states", pa.concat_tables(states))
    return con.sql(rollup.merge("states")).to_arrow_table()


def content(state: pa.Table) -> list[tuple]:
    """A state's rows in an order of their own, so that two can be compared."""
    return sorted((tuple(row.values()) for row in state.to_pylist()), key=repr)


@pytest.mark.parametrize("name", ROLLUPS)
@laws
@given(rng=randoms)
def test_any_split_in_any_order_and_grouping(con, name, rng):
    rollup = ROLLUPS[name]
    events = some(rng, rollup.topic)
    whole = content(roll_up(con, rollup, events))
    states = [roll_up(con, rollup, part) for part in split(rng, events, 4)]
    rng.shuffle(states)
    assert content(merge(con, rollup, *states)) == whole, "all at once"
    while len(states) > 1:
        place = rng.randrange(len(states) - 1)
        states[place : place + 2] = [merge(con, rollup, *states[place : place + 2])]
    assert content(states[0]) == whole, "two by two, in any grouping"


@pytest.mark.parametrize("name", ROLLUPS)
@laws
@given(rng=randoms)
def test_merging_is_associative_and_commutative(con, name, rng):
    rollup = ROLLUPS[name]
    a, b, c = (roll_up(con, rollup, some(rng, rollup.topic)) for _ in range(3))
    left = content(merge(con, rollup, merge(con, rollup, a, b), c))
    assert left == content(merge(con, rollup, a, merge(con, rollup, b, c))) == content(merge(con, rollup, c, b, a))
    assert content(merge(con, rollup, a, a.slice(0, 0))) == content(a), "nothing changes nothing"


@pytest.mark.parametrize("name", ROLLUPS)
def test_a_state_has_the_declared_columns_and_covers_every_event(con, name):
    rollup = ROLLUPS[name]
    state = roll_up(con, rollup, story(rollup.topic)[1])
    assert state.num_rows, "the history must reach every rollup, else its laws are empty"
    con.register("states", state)
    for made in ("FROM states", rollup.merge("states")):
        assert {c[0]: c[1] for c in con.execute(f"DESCRIBE {made}").fetchall()} == rollup.types


@pytest.mark.parametrize("name", [r.name for r in ROLLUPS.values() if any(m.merge == "sum" for m in r.measures)])
def test_sums_stop_at_the_greatest_number_on_any_grouping(con, name):
    rollup = ROLLUPS[name]
    sums = [m.name for m in rollup.measures if m.merge == "sum"]
    con.register("one", roll_up(con, rollup, story(rollup.topic)[1]).slice(0, 1))
    nearly = con.sql(f"SELECT * REPLACE ({', '.join(f'{MAX_SUM} - 1 AS {n}' for n in sums)}) FROM one").to_arrow_table()
    left = merge(con, rollup, merge(con, rollup, nearly, nearly), nearly)
    assert content(left) == content(merge(con, rollup, nearly, merge(con, rollup, nearly, nearly)))
    assert all(left.to_pylist()[0][n] == MAX_SUM for n in sums)


@pytest.mark.parametrize("topic", TOPICS)
@settings(laws, max_examples=5)
@given(data=st.data())
def test_duplicates_across_cuts_count_once_and_views_equal_the_oracle(con, topic, data):
    records, events = story(topic)
    length = data.draw(st.integers(0, events.num_rows))
    ends = sorted(data.draw(st.lists(st.integers(0, length), max_size=4)))
    prior = _sightings(con, events.slice(0, 0))
    states: dict[str, list[pa.Table]] = {r.name: [] for r in ROLLUPS.values() if r.topic == topic}
    for start, end in zip([0, *ends], [*ends, length], strict=True):
        part = events.slice(start, end - start)
        con.register("events", part)
        con.register("prior_ids", prior)
        con.execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {identified('events')}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE again AS {duplicates_of('fresh', 'prior_ids', HORIZON_DAYS)}")
        fresh = con.sql(counted_of("events", "again")).to_arrow_table()
        prior = pa.concat_tables([prior, _sightings(con, part)])
        for name, found in states.items():
            found.append(roll_up(con, ROLLUPS[name], fresh))
    for name, found in states.items():
        con.register(name, merge(con, ROLLUPS[name], *found))
    expected = all_views(records[:length])
    for view in (v for v in VIEWS.values() if v.topic == topic):
        assert differences(expected[view.name], con.sql(view.sql).to_arrow_table().to_pylist()) == [], view.name


def _sightings(con: duckdb.DuckDBPyConnection, events: pa.Table) -> pa.Table:
    con.register("taken", events)
    valid = 'SELECT event_id, "partition", kafka_ts FROM taken WHERE fault IS NULL AND event_id IS NOT NULL'
    return con.sql(valid).to_arrow_table()
