"""Each login sees the rows that its role may see, told a second time in plain Python, and can't get at others."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row

from catalogue.views import VIEWS
from runtime.storage.opening import open_store
from serving_layer.identity.roster import write_roster
from tests.serving_layer.projection.projected import Projected, read

# Login: role and person. Nobody knows the last one.
LOGINS = {
    "ada": ("admin", ""),
    "ser": ("service", ""),
    "ana": ("analyst", ""),
    "lec": ("lecturer", "GV001"),
    "idle": ("lecturer", "GV009"),
    "adv": ("adviser", "AD001"),
    "stu": ("student", "SV001"),
    "nul": ("student", "a␛0b"),
    "anonymous": ("student", ""),
    "stranger": None,
}
TEACHES = {"GV001": frozenset(("COURSE001", "https://lms.example/c?id='1'"))}
ADVISES = {"AD001": frozenset(("SV001", "a\0b")), "": frozenset(("SV002",))}


def visible(login: str, view: str, rows: list[dict]) -> list[dict]:
    """What a login sees of a view's rows. It shares nothing with the product."""
    columns = VIEWS[view].key
    who = next((c for c in ("student_id", "user_id") if c in columns), None)
    role, person = LOGINS[login] or ("", "")
    if role in ("admin", "service"):
        return rows
    if role == "analyst":
        return [] if who else rows
    if role == "lecturer" and "course_id" in columns:
        return [row for row in rows if row["course_id"] in TEACHES.get(person, ())]
    if role == "adviser" and who:
        return [row for row in rows if row[who] in ADVISES["AD001"]]
    if role == "student" and who and person:
        return [row for row in rows if row[who] == read(person)]
    return []


def place(row: dict) -> str:
    return repr(sorted(row.items()))


@pytest.fixture(scope="module")
def ruled(postgres, tmp_path_factory):
    """A projection with a roster, and its logins."""
    found = Projected(postgres, tmp_path_factory.mktemp("ruled"), 8, 900)
    try:
        write_roster(open_store(found.settings.identity), TEACHES, ADVISES)
        found.platform.micro_batch(1.0)
        found.step()
        with postgres.superuser(found.database) as connection:
            for login, viewer in LOGINS.items():
                connection.execute(f"CREATE ROLE {login} LOGIN")
                if viewer:
                    connection.execute("INSERT INTO learning.viewers VALUES (%s, %s, %s)", (login, *viewer))
        yield found
    finally:
        found.stop()


def connected(ruled: Projected, login: str) -> psycopg.Connection:
    return psycopg.connect(ruled.postgres.address(login, ruled.database), autocommit=True)


def test_each_role_sees_its_rows_of_every_view(ruled):
    with ruled.connection() as everything:
        whole = {view: ruled.rows(everything, view) for view in VIEWS}
    seen = dict.fromkeys(LOGINS, 0)
    for login in LOGINS:
        with connected(ruled, login) as connection:
            for view in VIEWS:
                got = ruled.rows(connection, view)
                assert sorted(map(place, got)) == sorted(map(place, visible(login, view, whole[view]))), (login, view)
                seen[login] += len(got)
            assert connection.execute("SELECT count(*) FROM learning.as_of").fetchone() == (1,)
    assert {login for login, rows in seen.items() if not rows} == {"idle", "anonymous", "stranger"}
    assert seen["ada"] == sum(map(len, whole.values())) > seen["ana"] > 0


def test_a_login_gets_at_nothing_else(ruled):
    with connected(ruled, "stu") as connection:
        for forbidden in (
            "SELECT * FROM learning.viewers",
            "SELECT * FROM learning.teaches",
            "SELECT * FROM learning.advises",
            "INSERT INTO learning.viewers VALUES ('stu2', 'admin', '')",
            "UPDATE learning.viewers SET role = 'admin'",
            "DELETE FROM learning.course_activity_summary",
            "UPDATE learning.as_of SET number = 1",
            "CREATE TABLE learning.mine (x int)",
            "ALTER TABLE learning.course_activity_summary DISABLE ROW LEVEL SECURITY",
            "SET SESSION AUTHORIZATION ada",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
        # A cheap function of one's own is still asked after the rule, never of others' rows.
        told: list[str] = []
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        connection.execute(
            "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS "
            "$$BEGIN RAISE NOTICE '%', $1; RETURN true; END$$"
        )
        connection.execute("SELECT * FROM learning.course_activity_summary WHERE pg_temp.leak(user_id)").fetchall()
        assert set(told) == {"SV001"}
        # Neither does a table of one's own stand before the rule's.
        connection.execute("CREATE TEMP TABLE viewers AS SELECT 'stu' AS login, 'admin' AS role, '' AS person")
        connection.execute("SET search_path = pg_temp, learning")
        assert connection.execute("SELECT DISTINCT user_id FROM course_activity_summary").fetchall() == [("SV001",)]


def test_who_logged_in_counts_and_not_the_role_that_was_set(ruled):
    with ruled.connection() as connection:
        connection.execute("GRANT ada TO stu")
    with connected(ruled, "stu") as connection:
        connection.execute("SET ROLE ada")
        assert connection.execute("SELECT DISTINCT user_id FROM learning.course_activity_summary").fetchall() == [
            ("SV001",)
        ]


def test_a_new_roster_counts_at_once(ruled):
    sql = "SELECT DISTINCT course_id FROM learning.video_popularity"
    write_roster(open_store(ruled.settings.identity), {"GV009": frozenset(("COURSE002",))}, ADVISES)
    ruled.projection._roster_looked = float("-inf")
    ruled.step()
    with connected(ruled, "lec") as lecturer, connected(ruled, "idle") as idle:
        assert lecturer.cursor(row_factory=dict_row).execute(sql).fetchall() == []
        assert idle.execute(sql).fetchall() == [("COURSE002",)]
    write_roster(open_store(ruled.settings.identity), TEACHES, ADVISES)
    ruled.projection._roster_looked = float("-inf")
    ruled.step()
