"""A dataset and a chart by Superset's API: the query API's answer at the same head, of which each user sees the own."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from runtime.storage.opening import open_store
from serving_layer.identity.roster import write_roster
from tests.serving_layer.conftest import serving
from tests.serving_layer.projection.conftest import OWNER, Postgres
from tests.serving_layer.projection.projected import Projected, read
from tests.superset.server import Superset, User

VIEW = "video_student_course_summary"
# Login to both: the role and the person of the rules.
LOGINS = {"ada": ("admin", ""), "lec": ("lecturer", "GV001"), "stu": ("student", "SV001")}
TEACHES = {"GV001": frozenset(("COURSE001",))}


@pytest.fixture(scope="module")
def projected(postgres: Postgres, tmp_path_factory) -> Iterator[Projected]:
    found = Projected(postgres, tmp_path_factory.mktemp("projected"), 8, 900)
    try:
        write_roster(open_store(found.settings.identity), TEACHES, {})
        found.platform.micro_batch(0.5)
        found.platform.run_batch(at_boundary=True)
        found.platform.micro_batch(1.0)
        found.step()
        with postgres.superuser(found.database) as connection:
            for login, viewer in LOGINS.items():
                connection.execute(f"CREATE ROLE {login} LOGIN")
                connection.execute("INSERT INTO learning.viewers VALUES (%s, %s, %s)", (login, *viewer))
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def tool(tmp_path_factory) -> Iterator[Superset]:
    running = Superset(tmp_path_factory.mktemp("superset"), "ada")
    try:
        running.wait()
        yield running
    finally:
        running.stop()


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order, whatever the tool's or the API's, and texts as events have them."""
    told = [{name: read(value) for name, value in row.items()} for row in found]
    return sorted(told, key=lambda row: (str(row["user_id"]), str(row["course_id"])))


def test_a_chart_is_the_query_apis_answer_and_shows_each_user_their_rows(projected, tool, postgres):
    ada = User(tool, "ada")
    # It logs in to the database as whoever looks, so that row security knows whom it shows what.
    database = ada.made(
        "database",
        database_name="learning",
        sqlalchemy_uri=f"postgresql+psycopg2://{OWNER}@127.0.0.1:{postgres.port}/{projected.database}",
        impersonate_user=True,
        expose_in_sqllab=True,
    )
    dataset = ada.made("dataset", database=database, schema="learning", table_name=VIEW)
    beside = ada.made("dataset", database=database, schema="learning", table_name="as_of")
    with serving(projected.platform) as server:
        answer = httpx.get(f"{server.address}/views/{VIEW}", params={"limit": 10_000}, timeout=60).json()
        total = httpx.get(f"{server.address}/views/{VIEW}", params={"user_id": "SV001"}, timeout=60).json()["rows"]
    columns = list(answer["rows"][0])
    chart = ada.chart(dataset, columns)
    shown = ada.data(chart)
    (as_of,) = ada.data(ada.chart(beside, ["run", "head"]))
    head = literal_eval(as_of["head"])  # Superset's text of PostgreSQL's JSON
    assert (as_of["run"], head) == (answer["as_of"]["run"], answer["as_of"]["head"])
    assert rows(shown) == rows(answer["rows"]) and len(shown) == answer["total"] > 10

    seconds = {"expressionType": "SIMPLE", "column": {"column_name": "total_watch_seconds"}, "aggregate": "SUM"}
    summed = ada.chart(dataset, ["course_id"], metrics=[{**seconds, "label": "seconds"}])
    expected: dict[str, int] = {}
    for row in answer["rows"]:
        expected[row["course_id"]] = expected.get(row["course_id"], 0) + row["total_watch_seconds"]
    assert {row["course_id"]: row["seconds"] for row in ada.data(summed)} == expected

    roles = ada.client.get("security/roles/", params={"q": "(page_size:100)"}).raise_for_status().json()["result"]
    alpha = next(role["id"] for role in roles if role["name"] == "Alpha")
    for name in ("lec", "stu"):
        person = {"username": name, "first_name": name, "last_name": "x", "email": f"{name}@x.invalid"}
        ada.made("security/users", **person, password=tool.password, active=True, roles=[alpha])
    lecturers = [row for row in answer["rows"] if row["course_id"] in TEACHES["GV001"]]
    assert rows(User(tool, "lec").data(chart)) == rows(lecturers) and 0 < len(lecturers) < len(shown)
    assert rows(User(tool, "stu").data(chart)) == rows(total) and 0 < len(total) < len(shown)
    assert rows(ada.data(chart)) == rows(shown), "what one was shown is not what the next one is"
