"""The projection is the oracle's at the head that it names, after every delta and run, and whatever happened to it."""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import dict_row

from catalogue.views import VIEWS
from runtime.settings import Settings
from serving_layer.identity.roster import write_roster
from serving_layer.projection.database import ProjectionError
from serving_layer.projection.projection import Projection
from serving_layer.projection.text import written
from serving_layer.state.serving_state import ServingState
from speed_layer.compaction import compact, kept_cuts
from tests.deployment.persons.keeping import Kept
from tests.laws.test_merged import settle
from tests.oracle.comparison import differences
from tests.oracle.histories import history, landed
from tests.oracle.views import all_views
from tests.serving_layer.projection.projected import LIMIT, read


def test_after_every_delta_and_run_it_is_the_oracles(projected):
    platform = projected.platform
    numbers = []
    for act in "mxbmcm":
        if act in "bc":
            platform.run_batch(at_boundary=act == "b")
        else:
            platform.micro_batch(0.25)
        if act == "x":  # deltas that were merged away before they were read
            time.sleep(0.01)
            assert compact(platform.speed.deltas, kept_cuts(platform.batch), 0) > 1
            settle(projected.state)
        projected.step()
        numbers.append(projected.check()["number"])
    assert numbers == sorted(numbers) and len(set(numbers)) > 3
    platform.micro_batch(1.0)
    projected.step()
    as_of = projected.check()
    assert as_of["watermark"] and not projected.step(), "nothing new, nothing written"
    with pytest.raises(ProjectionError, match="must have one process that writes to it"):
        Projection(projected.settings, projected.state).step()
    with projected.connection() as connection:
        found = connection.execute(
            "SELECT format_type(atttypid, atttypmod), col_description(attrelid, attnum) FROM pg_attribute "
            "WHERE attrelid = 'learning.auth_user_activity_summary'::regclass AND attname = 'last_activity'"
        ).fetchone()
        about = connection.execute("SELECT obj_description('learning.auth_user_activity_summary'::regclass)").fetchone()
    assert found == ("timestamp with time zone", VIEWS["auth_user_activity_summary"].meanings["last_activity"])
    assert about and about[0].startswith("One row per user_id, role.")


def test_only_rows_that_changed_are_written_and_by_nobody_else(projected):
    platform = projected.platform
    platform.micro_batch(0.6)
    projected.step()

    def places(connection: psycopg.Connection, view: str) -> dict[str, str]:
        return dict(connection.execute(f'SELECT v::text, ctid::text FROM learning."{view}" AS v').fetchall())

    with projected.connection() as connection:
        before = {view: places(connection, view) for view in VIEWS}
        platform.micro_batch(0.1)
        projected.step()
        kept = lost = 0
        for view in VIEWS:
            now = places(connection, view)
            same = now.keys() & before[view].keys()
            assert all(now[row] == before[view][row] for row in same), f"{view}: a row that is the same was written"
            kept, lost = kept + len(same), lost + len(before[view].keys() - same)
        assert kept > 0 and lost > 0
        connection.execute("UPDATE learning.as_of SET number = 99")
        connection.execute("DELETE FROM learning.course_overall_metrics")
    platform.micro_batch(0.3)
    with pytest.raises(ProjectionError, match="as_of must be what was written to it"):
        projected.step()
    projected.step()
    assert projected.check()["number"] == 100


DAMAGE = """
DROP TABLE learning.video_popularity;
ALTER TABLE learning.video_course_metrics DROP COLUMN total_course_watch_hours;
ALTER TABLE learning.course_overall_metrics DISABLE ROW LEVEL SECURITY;
UPDATE learning.projected SET digest = 'of another release' WHERE view = 'profile_field_changes';
DELETE FROM learning.assessment_grading_stats;
UPDATE learning.auth_hourly_login_patterns SET login_count = login_count + 1;
INSERT INTO learning.course_enrollment_stats SELECT * FROM learning.course_enrollment_stats;
INSERT INTO learning.projected VALUES ('gone', 'x');
CREATE TABLE learning.gone (x int);
"""


def test_a_new_start_mends_whatever_was_done_to_it(projected):
    platform = projected.platform
    platform.micro_batch(0.7)
    projected.step()
    for damage in (DAMAGE, "DELETE FROM learning.as_of"):
        projected.projection.close()
        with psycopg.connect(projected.settings.projection_database) as connection:
            connection.execute(damage)
        platform.micro_batch(0.3)
        projected.step()
        projected.check()
    with projected.connection() as connection:
        assert connection.execute("SELECT to_regclass('learning.gone')").fetchone() == (None,)
        unruled = "SELECT count(*) FROM pg_class WHERE NOT relrowsecurity AND oid::regclass::text = ANY (%s)"
        assert connection.execute(unruled, [[f"learning.{view}" for view in VIEWS]]).fetchone() == (0,)


def test_a_server_that_is_away_is_told_in_a_line(tmp_path):
    places = {name: str(tmp_path / name.lower()) for name in ("BATCH_VIEWS", "SPEED_VIEWS", "IDENTITY")}
    away = Settings.load(places | {"PROJECTION_DATABASE": "host=127.0.0.1 port=1 user=x password=never-told"})
    with pytest.raises(ProjectionError) as told:
        Projection(away, ServingState(away)).step()
    assert "\n" not in str(told.value) and "never-told" not in str(told.value)
    with pytest.raises(ProjectionError, match="PROJECTION_DATABASE: must name a PostgreSQL database; got none"):
        Projection(Settings.load(places), ServingState(away))


@pytest.mark.parametrize("text", ["", "plain", "a\0b", "␛", "␛0", "\0␛0\0", "␛␛\0"])
def test_a_text_comes_back(text):
    assert "\0" not in written(text) and read(written(text)) == text


def everything(connection: psycopg.Connection) -> str:
    """Every row of every table of the schema but `viewers`, as text."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'learning'").fetchall()
    read = (f'SELECT t::text FROM learning."{name}" AS t' for (name,) in tables if name != "viewers")
    return "\n".join(row for sql in read for (row,) in connection.execute(sql).fetchall())


def test_who_is_erased_leaves_the_database_too(postgres, tmp_path):
    platform = Kept(tmp_path / "platform", history(4, 260), 4)
    platform.ingest(0.6)
    platform.run()
    platform.micro_batch(1.0)
    write_roster(platform.places.identity, {"SV001": frozenset({"C1"})}, {"GV001": frozenset({"SV001", "SV002"})})
    database = postgres.fresh()
    settings = replace(platform.settings, projection_database=postgres.address(database=database))
    state = ServingState(settings)
    projection = Projection(settings, state)
    try:
        settle(state)
        projection.step()
        with postgres.superuser(database) as connection:
            before = everything(connection)
            assert before.count("SV001") > 5 and "(SV001,C1)" in before
            platform.erase("SV001")
            platform.gone = {"SV001"}
            settle(state)
            projection.step()
            deadline = time.monotonic() + LIMIT
            while "SV001" in everything(connection):  # the roster is followed by and by
                assert time.monotonic() < deadline
                time.sleep(0.2)
                projection.step()
            after = everything(connection)
            assert "(GV001,SV002)" in after and "SV1000" in after
            connection.execute("SET TimeZone = 'UTC'")
            (head,) = connection.execute("SELECT head FROM learning.as_of").fetchone()
            expected = all_views(landed(platform.covered(head)))
            cursor = connection.cursor(row_factory=dict_row)
            for view in VIEWS:
                rows = cursor.execute(f'SELECT * FROM learning."{view}"').fetchall()
                got = [{name: read(value) for name, value in row.items()} for row in rows]
                assert differences(expected[view], got) == [], view
    finally:
        projection.close()
        state.stop()
