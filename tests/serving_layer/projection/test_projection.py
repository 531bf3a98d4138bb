"""The projection is the oracle's at the head that it names, after every delta and run, and whatever happened to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from catalogue.views import VIEWS
from deployment.ports import free_port
from runtime.metrics import METRICS
from runtime.settings import Settings
from serving_layer.identity.roster import write_roster
from serving_layer.projection.database import ProjectionError
from serving_layer.projection.projection import Projection
from serving_layer.projection.text import MARK, NUL, written
from serving_layer.state.serving_state import ServingState
from speed_layer.compaction import compact, kept_cuts
from tests.deployment.persons.keeping import Kept
from tests.laws.test_merged import Platform, settle
from tests.oracle.comparison import differences
from tests.oracle.histories import history, landed
from tests.oracle.views import all_views

LIMIT = 120


def read(text: object) -> object:
    """A value as events have it."""
    if not isinstance(text, str):
        return text
    return MARK.join(part.replace(NUL, "\0") for part in text.split(MARK * 2))


class Projected:
    """A platform and its projection into a fresh database."""

    def __init__(self, postgres, folder: Path, seed: int, events: int = 700):
        self.postgres, self.database = postgres, postgres.fresh()
        self.platform = Platform(folder, history(seed, events), seed)
        settings = self.platform.settings
        places = {"identity": str(folder / "identity"), "projection_database": postgres.address(database=self.database)}
        self.settings = self.platform.settings = replace(settings, **places)
        self.state = ServingState(self.settings)
        self.state.look()
        self.projection = Projection(self.settings, self.state)

    def step(self) -> bool:
        settle(self.state)
        return self.projection.step()

    def connection(self) -> psycopg.Connection:
        return self.postgres.superuser(self.database)

    def rows(self, connection: psycopg.Connection, view: str) -> list[dict]:
        found = connection.cursor(row_factory=dict_row).execute(f'SELECT * FROM learning."{view}"').fetchall()
        return [{name: read(value) for name, value in row.items()} for row in found]

    def as_of(self, connection: psycopg.Connection) -> dict:
        (found,) = connection.cursor(row_factory=dict_row).execute("SELECT * FROM learning.as_of").fetchall()
        return found

    def check(self, at_served_head: bool = True) -> dict:
        """Every view is what the oracle makes of the records below the head that stands beside them."""
        with self.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            as_of = self.as_of(connection)
            got = {view: self.rows(connection, view) for view in VIEWS}
        generation = self.state.generation
        assert generation
        if at_served_head:
            assert as_of["head"] == {topic: state.head for topic, state in generation.topics.items()}
            assert (as_of["run"], as_of["cut"]) == (generation.run, {t: s.cut for t, s in generation.topics.items()})
        expected = all_views(landed(self.platform.covered(as_of["head"])))
        wrong = {view: found[:2] for view in VIEWS if (found := differences(expected[view], got[view]))}
        assert not wrong
        return as_of

    def stop(self) -> None:
        self.projection.close()
        self.state.stop()


@pytest.fixture
def projected(postgres, tmp_path):
    found = Projected(postgres, tmp_path, 21)
    try:
        yield found
    finally:
        found.stop()


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


def test_a_kill_in_mid_transaction_leaves_the_state_before(projected):
    platform, settings = projected.platform, projected.settings
    platform.micro_batch(0.4)
    projected.step()
    before = projected.check()
    projected.projection.close()
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.4)
    environ = os.environ | {
        "PROJECTION_DATABASE": settings.projection_database,
        **{name.upper(): getattr(settings, name) for name in ("batch_views", "speed_views", "identity")},
    }
    learn = [sys.executable, "-c", "import sys; from deployment.command.learn import main; sys.exit(main())"]
    waits = "SELECT pid FROM pg_stat_activity WHERE application_name = 'learn project' AND wait_event = 'transactionid'"
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'learn project'"
    with projected.connection() as watcher, projected.connection() as holder:
        with holder.transaction():
            holder.execute("SELECT * FROM learning.as_of FOR UPDATE")
            process = subprocess.Popen([*learn, "project"], env=environ, cwd="/")
            try:
                wait_until(lambda: watcher.execute(waits).fetchone(), process)
            finally:
                process.kill()
                process.wait(30)
        wait_until(lambda: watcher.execute(connected).fetchone() == (0,))
        assert projected.check(at_served_head=False) == before
    done = subprocess.run(
        [*learn, "project", "--once", "--json"], env=environ, cwd="/", capture_output=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == 0
    settle(projected.state)
    assert projected.check()["number"] == before["number"] + 1


def wait_until(holds, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline and (process is None or process.poll() is None)
        time.sleep(0.05)


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


def test_a_process_that_follows_tells_what_it_does(projected):
    projected.platform.micro_batch(0.5)
    settings, port = projected.settings, free_port()
    environ = os.environ | {
        "PROJECTION_DATABASE": settings.projection_database,
        "METRICS_PORT": str(port),
        **{name.upper(): getattr(settings, name) for name in ("batch_views", "speed_views", "identity")},
    }
    command = [
        sys.executable,
        "-c",
        "import sys; from deployment.command.learn import main; sys.exit(main())",
        "project",
    ]
    process = subprocess.Popen(command, env=environ, cwd="/")
    told: dict[str, float] = {}

    def scraped() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return False
        told.update((name, float(value)) for name, value in (n.rsplit(" ", 1) for n in lines if n[0] != "#"))
        return told["projection_transactions_total"] >= 1

    try:
        wait_until(scraped, process)
    finally:
        process.terminate()
    assert process.wait(LIMIT) == 0
    names = {name.split("{")[0].removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in told}
    assert {metric.name for metric in METRICS["projection"]} == {n for n in names if n.startswith("projection_")}
    assert told["projection_rows_total"] > 100 and told["projection_failures_total"] == 0
    assert time.time() - told["projection_current_timestamp_seconds"] < LIMIT
    with projected.connection() as connection:
        head = projected.as_of(connection)["head"]
    heads = {
        f'projection_head_offset{{partition="{partition}",topic="{topic}"}}': end
        for topic, partitions in head.items()
        for partition, end in partitions.items()
    }
    assert heads and heads.items() <= told.items()


def test_a_failure_is_counted(projected):
    projected.projection.conninfo = "host=127.0.0.1 port=1 user=x"
    with pytest.raises(ProjectionError):
        projected.projection.step()
    registry = projected.projection.metrics.exposition.registry
    assert registry.get_sample_value("projection_failures_total") == 1
    assert registry.get_sample_value("projection_transactions_total") == 0
